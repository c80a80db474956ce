"""Count what the traffic with Loki came to."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Totals since the start of the process; reads need no lock."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0  # of answers' bodies, unpacked
    pages: int = 0
    entries: int = 0
    waited_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)  # of what went wrong
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def asked(self) -> None:
        """Note a request."""
        with self._lock:
            self.requests += 1

    def received(self, size: int) -> None:
        """Note an answer of *size* bytes."""
        with self._lock:
            self.bytes += size

    def paged(self, entries: int) -> None:
        """Note a finished page."""
        with self._lock:
            self.pages += 1
            self.entries += entries

    def waited(self, seconds: float) -> None:
        """Note another attempt, after a pause of *seconds*."""
        with self._lock:
            self.retries += 1
            self.waited_s += seconds

    def met(self, reason: str) -> None:
        """Note one trouble by its short name."""
        with self._lock:
            self.reasons[reason] += 1
