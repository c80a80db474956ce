"""Choose the width of buckets: round figures that a person would choose."""

from app.errors import BadRequest

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000

STEPS = (
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 30, 90, 365)),
)


def nice_step(length: int, points: int, unit: int = _SECOND) -> int:
    """Return the smallest round step that cuts *length* into at most *points* buckets.

    Args:
        length: of the range, ms.
        points: buckets wanted, at least 1.
        unit: the step is a multiple of it, ms.
    """
    wanted = -(-length // points)
    for step in STEPS:
        if step >= wanted and step % unit == 0:
            return step
    return -(-wanted // STEPS[-1]) * STEPS[-1]


def fitting_step(step: int, length: int, points: int, unit: int = _SECOND) -> int:
    """Round a step that was asked for up to a multiple of *unit*.

    Raises:
        BadRequest: it makes more than *points* buckets; says which step would do.
    """
    rounded = max(1, -(-step // unit)) * unit
    if length // rounded > points:
        enough = nice_step(length, points, unit) // 1_000
        raise BadRequest(
            f"a step of {rounded // 1_000}s makes more than {points} points: "
            f"use {enough}s or more, or a shorter range"
        )
    return rounded
