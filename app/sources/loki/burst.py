"""Gather the entries of one nanosecond when there are more than one answer holds."""

from collections.abc import Callable
from typing import NamedTuple

from app.errors import SourceError, TooDense
from app.sources.loki.counters import Counters
from app.sources.loki.divide import divide
from app.sources.loki.logql import Halves, Query
from app.sources.model import Stream

DEEPEST = 500  # conditions on one query
Ask = Callable[[Query], tuple[list[Stream], bool]]  # → streams, whether there is more


class _Part(NamedTuple):
    """A query whose answer was full, so that it must be divided."""

    query: Query
    seen: list[Stream]
    depth: int


def gather_burst(
    query: Query, seen: list[Stream], ask: Ask, counters: Counters
) -> list[Stream]:
    """Return all entries that *query* selects.

    1. Take a query whose answer was full, and a condition that divides what it gave.
    2. Ask for both halves. Together they have every entry, and none twice.
    3. A half that is not full is complete; a full one is divided again. Both halves
       have something, so this ends.

    A label that turns out to be none of the stream's (a Loki before 3.0 mixes
    structured metadata into them) divides nothing: it is not tried again.

    Args:
        query: of one nanosecond.
        seen: what a full answer to it gave.
        ask: asks for a narrower query.
        counters: where divisions are noted.

    Raises:
        TooDense: more entries than the limit are alike in all that can be asked for.
        SourceError: the answers contradict each other.
    """
    done: list[Stream] = []
    barred: frozenset[str] = frozenset()
    open_parts = [_Part(query, seen, 0)]
    while open_parts:
        part = open_parts.pop()
        halves = _halve(part, barred, counters)
        answers = _ask_both(halves, ask)
        if answers is None:
            barred |= {_barred(halves)}
            open_parts.append(part)
            continue
        for half, streams, has_more in answers:
            if has_more:
                open_parts.append(_Part(half, streams, part.depth + 1))
            else:
                done += streams
    return done


def _halve(part: _Part, barred: frozenset[str], counters: Counters) -> Halves:
    """Divide a part, or raise ``TooDense``."""
    halves = divide(part.query, part.seen, barred)
    if halves is None or part.depth >= DEEPEST:
        counters.met("too_dense")
        raise _too_dense(part)
    counters.met("divided")
    return halves


def _ask_both(
    halves: Halves, ask: Ask
) -> list[tuple[Query, list[Stream], bool]] | None:
    """Ask for both halves; None when one has nothing, so that nothing was divided."""
    answers = []
    for half in (halves.having, halves.lacking):
        streams, has_more = ask(half)
        if not streams:
            return None
        answers.append((half, streams, has_more))
    return answers


def _barred(halves: Halves) -> str:
    """Return the label that does not divide after all.

    Raises:
        SourceError: it was no label, but something that entries were seen to have.
    """
    if not halves.label:
        raise SourceError(
            "Loki's answers contradict each other: entries that it gave are gone when "
            f"asked for with {halves.having}"
        )
    return halves.label


def _too_dense(part: _Part) -> TooDense:
    count = sum(len(stream.values) for stream in part.seen)
    ts = part.seen[0].values[0][0]
    return TooDense(
        f"more than {count} entries at {ts} ns cannot be told apart by any query "
        f"({part.query}): raise loki.limit and Loki's max_entries_limit_per_query, or "
        "narrow the source's selector"
    )
