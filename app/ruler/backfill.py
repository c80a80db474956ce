"""Evaluate rules for the past, as if they had always been there.

Groups that are read come first, slots in their order. Every slot is committed with what
it came to, and how far a range was done is remembered: a run that ends anywhere goes on
from there, and running it twice changes nothing. Alerts are left out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.ruler.model import RECORD, Group, RuleSet
from app.ruler.order import in_order
from app.ruler.ruler import Ruler
from app.ruler.slots import floor_slot
from app.store.rule_seam import Mark, Rulebook

Tell = Callable[[Group, int, int], None]  # group, slots done, of how many
_REMEMBERED = 50  # slots between two notes of how far it is


@dataclass(frozen=True, slots=True)
class Span:
    """The slots of a group in ``[since, until]``."""

    group: Group
    since: int
    until: int

    @property
    def slots(self) -> range:
        """List the slots."""
        interval = self.group.interval
        first = -(-self.since // interval) * interval
        return range(first, floor_slot(self.until, interval) + 1, interval)

    @property
    def name(self) -> str:
        """Return what its progress is remembered under."""
        return f"backfill {self.group.key} {self.since} {self.until}"


def spans_of(rules: RuleSet, since: int, until: int) -> list[Span]:
    """List what there is to do, in order."""
    return [
        Span(group, since, until)
        for group in in_order(rules.groups)
        if any(rule.kind == RECORD for rule in group.rules)
    ]


def backfill(
    spans: Iterable[Span], ruler: Ruler, book: Rulebook, tell: Tell, *, anew: bool
) -> int:
    """Evaluate the slots of *spans*; return how many.

    Args:
        spans: in the order in which they are to be done.
        ruler: who evaluates.
        book: where progress is remembered.
        tell: told now and then.
        anew: begin at the first slot, whatever was done before.

    Raises:
        SkaldError: what was done before it stays done.
    """
    done = 0
    for span in spans:
        slots = span.slots
        reached = 0 if anew else book.mark(span.name).value
        for number, at in enumerate(slots, 1):
            if at <= reached:
                continue
            ruler.backfill(span.group, at)
            done += 1
            if number % _REMEMBERED == 0 or number == len(slots):
                book.remember(span.name, Mark(at))
                tell(span.group, number, len(slots))
    return done
