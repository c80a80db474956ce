"""Decide what a receiver is sent of a portion of the feed, and in which order.

A receiver takes each series in the order of time. What is not newer than what it has
is a correction: sent after the rest if the receiver takes samples out of order, and left
out otherwise. Prometheus refuses another value for the newest slot that it has of a
series, but takes it once the series went on; such corrections are owed until then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.export.labels import is_barred
from app.export.message import Wired, measure
from app.store.feed_seam import Change, Portion, Sample


@dataclass(slots=True)
class Plan:
    """What to send, in this order, and what to remember of it."""

    fresh: list[Change] = field(default_factory=list)
    corrections: list[Change] = field(default_factory=list)
    reached: dict[int, int] = field(default_factory=dict)
    owed: list[Sample] = field(default_factory=list)
    settled: list[Sample] = field(default_factory=list)
    late: int = 0
    barred: int = 0


def make_plan(portion: Portion, oldest: int | None) -> Plan:
    """Divide a portion.

    Args:
        portion: the next one of the feed.
        oldest: samples out of order are taken from there on, ms; None = not at all.
    """
    plan = Plan(reached=dict(portion.reached))
    news = sorted((*portion.changes, *portion.early), key=lambda each: each.key)
    corrections: list[Change] = []
    for each in news:
        if is_barred(each.labels):
            plan.barred += 1
        elif each.at > portion.reached.get(each.series, -1):
            plan.fresh.append(each)
            plan.reached[each.series] = each.at
        else:
            corrections.append(each)
    told = {each.key for each in corrections}
    plan.settled = [each.key for each in portion.owed]
    waiting = [each for each in portion.owed if each.key not in told]
    for each in (*waiting, *corrections):
        if oldest is None or each.at < oldest:
            plan.late += 1
        elif each.at == plan.reached.get(each.series):
            plan.owed.append(each.key)
        else:
            plan.corrections.append(each)
    return plan


def divide(
    changes: Iterable[Change], samples: int, size: int
) -> Iterator[list[Change]]:
    """Cut *changes* into requests of so many samples and about so many bytes, at most."""
    part: list[Change] = []
    held = 0
    for each in changes:
        grows = measure(each.name, each.labels)
        if part and (len(part) == samples or held + grows > size):
            yield part
            part, held = [], 0
        part.append(each)
        held += grows
    if part:
        yield part


def wire(changes: Iterable[Change]) -> list[Wired]:
    """Gather the samples of each series; these are in order of time."""
    series: dict[int, tuple[Change, list[tuple[int, float | None]]]] = {}
    for each in changes:
        series.setdefault(each.series, (each, []))[1].append((each.at, each.value))
    return [(first.name, first.labels, points) for first, points in series.values()]
