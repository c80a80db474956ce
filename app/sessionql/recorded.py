"""Make cells of what rules recorded: one set of labels for all, sums by some of them."""

from collections.abc import Iterable

from app.model import Labels
from app.sessionql.plan import Recorded

Row = tuple[Labels, int, float]  # labels, begin of the bucket, value
Cells = list[tuple[tuple[str, ...], int, float | None]]


def cells_of(plan: Recorded, rows: Iterable[Row]) -> tuple[tuple[str, ...], Cells]:
    """Return the names of the labels, and a cell for each label set and bucket.

    A label that only some series have is empty for the others.
    """
    listed = list(rows)
    by = plan.by
    if by is None:
        by = tuple(sorted({name for labels, _, _ in listed for name in labels}))
    found: dict[tuple[tuple[str, ...], int], float] = {}
    for labels, bucket, value in listed:
        key = tuple(labels.get(name, "") for name in by), bucket
        found[key] = found.get(key, 0.0) + value
    return by, [(labels, bucket, value) for (labels, bucket), value in found.items()]
