"""Find when releases of an application were first seen."""

from dataclasses import dataclass, replace

from app.sessionql.evaluate import Evaluator
from app.sessionql.plan import Filter, Leaf, Window

DAY = 86_400_000  # ms
LOOKBACK = 30 * DAY  # before the range; what was seen then is not new in it
_LABELS = ("app", "version")


@dataclass(frozen=True, slots=True)
class Release:
    """A version of an application, and the begin of its first session, ms."""

    app: str
    version: str
    at: int


def find_releases(index: Evaluator, window: Window, selector: Filter) -> list[Release]:
    """List the releases first seen in *window*, ascending.

    The oldest version known of an application is none: nobody knows when it came.

    1. Count by day, which rollups know, to find the day on which each version came.
    2. Look at the sessions of those days alone for the instants.
    """
    since = max(0, window.start - LOOKBACK)
    counted = Leaf("count", selector=selector, by=_LABELS)
    came: dict[tuple[str, ...], int] = {}  # the day, then the instant; ms
    days = replace(window, start=since, step=DAY)
    for labels, day, count in index.evaluate(counted, days):
        if count and labels[1]:
            came[labels] = min(day, came.get(labels, day))
    first = Leaf("min", "start", selector=selector, by=_LABELS)
    for day in {day for day in came.values() if day + DAY > window.start}:
        start, end = max(since, day), min(window.end, day + DAY)
        for labels, _, at in index.evaluate(first, replace(window, start=start, end=end, step=0)):  # fmt: skip
            if came.get(labels) == day and at is not None:
                came[labels] = int(at)
    oldest: dict[str, int] = {}
    for (app, _), at in came.items():
        oldest[app] = min(at, oldest.get(app, at))
    found = [
        Release(app, version, at)
        for (app, version), at in came.items()
        if oldest[app] < at and window.start <= at < window.end
    ]
    return sorted(found, key=lambda each: (each.at, each.app, each.version))
