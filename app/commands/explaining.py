"""Say how a question was answered, figure by figure."""

from collections.abc import Sequence

from app.api.frames import Row
from app.sessionql.plan import Leaf
from app.store.answers import Answered

_MINUTE = 60_000  # ms


def explain(answered: Sequence[Answered]) -> list[Row]:
    """Lay out a row a figure: what it is, what answered it, and in what time."""
    return [
        {
            "figure": describe(each.leaf),
            "answered by": each.by,
            "ms": round(each.ms, 1),
            "values": each.cells,
            "read": _read(each.details),
        }
        for each in answered
    ]


def describe(leaf: Leaf) -> str:
    """Write a figure as SessionQL has it, without its filter."""
    points = [f"{point:g}" for point in leaf.points]
    where = ["..."] if leaf.where is not None else []
    inside = ", ".join([*filter(None, [leaf.field]), *points, *where])
    by = f" by ({', '.join(leaf.by)})" if leaf.by else ""
    return f"{leaf.function}_over_time({inside}){by}"


def _read(details: dict[str, object]) -> str:
    """Say what was read of rollups, and what they did not know."""
    if "days" not in details:
        return ""
    of = details["dimension"] or "app and environment"
    minutes = int(str(details["scanned_ms"])) // _MINUTE
    return (
        f"{details['days']} days and {details['hours']} hours by {of};"
        f" sessions of {minutes} min in {details['scans']} pieces"
    )
