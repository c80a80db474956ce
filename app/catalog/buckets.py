"""The buckets of a histogram for which a query names none: upper bounds, ascending."""

from app.catalog.fields import Field

_SECOND, _MINUTE, _HOUR = 1_000.0, 60_000.0, 3_600_000.0

_LENGTHS = (
    *(n * _SECOND for n in (1, 5, 10, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 20, 30)),
    *(n * _HOUR for n in (1, 2, 4)),
)
_LOADS = (100.0, 200.0, 500.0, 800.0, 1_200.0, 1_800.0, 2_500.0, 4_000.0, 8_000.0)
_COUNTS = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_SHIFTS = (0.01, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0)


def buckets_of(field: Field) -> tuple[float, ...]:
    """Return buckets that suit a field."""
    if field.name in {"duration", "dwell"}:
        return _LENGTHS
    if field.unit == "ms":
        return _LOADS
    return _SHIFTS if field.name == "cls" else _COUNTS
