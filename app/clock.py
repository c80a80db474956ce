"""Tell the time: the one place that reads the wall clock."""

import time


def now() -> int:
    """Return the current time, UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Return a clock in seconds that never goes back; only differences mean anything."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait that long."""
    time.sleep(seconds)


def floor_to(ts: int, step: int) -> int:
    """Round *ts* down to a multiple of *step* (same unit)."""
    return ts - ts % step
