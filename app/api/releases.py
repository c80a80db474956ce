"""Find when releases of an application were first seen."""

from dataclasses import dataclass

from app.sessionql.evaluate import Evaluator
from app.sessionql.plan import Filter, Leaf, Window

LOOKBACK = 30 * 86_400_000  # ms before the range; what was seen then is not new in it


@dataclass(frozen=True, slots=True)
class Release:
    """A version of an application, and the begin of its first session, ms."""

    app: str
    version: str
    at: int


def find_releases(index: Evaluator, window: Window, selector: Filter) -> list[Release]:
    """List the releases first seen in *window*, ascending.

    The oldest version known of an application is none: nobody knows when it came.
    """
    first = Leaf("min", "start", selector=selector, by=("app", "version"))
    earlier = Window(max(0, window.start - LOOKBACK), window.end, 0, window.now)
    seen = [
        Release(app, version, int(at))
        for (app, version), _, at in index.evaluate(first, earlier)
        if version and at is not None
    ]
    oldest: dict[str, int] = {}
    for each in seen:
        oldest[each.app] = min(each.at, oldest.get(each.app, each.at))
    found = [
        each
        for each in seen
        if oldest[each.app] < each.at and window.start <= each.at < window.end
    ]
    return sorted(found, key=lambda each: (each.at, each.app, each.version))
