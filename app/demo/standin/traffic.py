"""Count what goes out, and let it out no faster than a real Loki would."""

import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """What one path has answered: requests, body bytes on the wire, log entries."""

    requests: int = 0
    bytes: int = 0
    entries: int = 0


class Counters:
    """Count answers by path; paths of the stand-in itself are not counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}

    def add(self, path: str, **amounts: int) -> None:
        """Add to the counts of a path."""
        with self._lock:
            self._counts.setdefault(path, Counter()).update(amounts)

    def read(self) -> dict[str, Count]:
        """Return the counts so far."""
        with self._lock:
            return {path: Count(**counts) for path, counts in self._counts.items()}

    def reset(self) -> None:
        """Start from nothing."""
        with self._lock:
            self._counts.clear()


class Pace:
    """Let log answers out no faster than so many lines a second, one at a time."""

    def __init__(self, lines_per_s: float | None) -> None:
        self.lines_per_s = lines_per_s
        self._lock = threading.Lock()
        self._free_at = 0.0

    def due(self, arrived: float, lines: int) -> float:
        """Return when an answer with *lines* may go out, on ``clock.monotonic``."""
        if not self.lines_per_s or not lines:
            return arrived
        with self._lock:
            start = max(arrived, self._free_at)
            self._free_at = start + lines / self.lines_per_s
            return self._free_at
