"""Guess how much to ask for: how many entries, of how long a time.

Three things bound a request: the entries Loki gives at once, the bytes it can move at
once (4 MiB in a single binary, and beyond that it answers nothing at all), and the
length of time it searches. All are learned from its answers, and can be stored.
"""

import math
import threading
from collections.abc import Mapping

from app.settings import LokiSettings

CAREFUL = 500  # entries of a request while the size of a line is not known
FEWEST = 2  # one entry never proves that it is the only one
FULLNESS = 0.8  # of the limit, aimed at
GROWTH = 8.0  # of a window, at most, from one answer to the next
FIRST_WINDOW = 900 * 1_000_000_000  # ns
FORGET = 0.9  # what an older answer's entries still count when a full page comes
TRIAL = 50  # good answers after which a size that failed once is tried again
PATIENT = 8  # times as long after each further failure
STRIKES = 4  # that count
State = dict[str, float]


class Gauge:
    """What is known of one Loki's limits and of the lines in it; safe among threads."""

    def __init__(self, settings: LokiSettings) -> None:
        self._lock = threading.Lock()
        self._page_bytes = float(settings.page_bytes)
        self._most = max(FEWEST, settings.limit)  # entries
        self._longest = max(1, settings.max_query_length_s) * 1_000_000_000  # ns
        self._window = float(min(FIRST_WINDOW, self._longest))  # ns
        self._seen_entries = 0.0
        self._seen_bytes = 0.0
        self._deviation = 0.0  # of pages' mean sizes, bytes an entry
        self._ceiling = math.inf  # bytes that may fail
        self._strikes = 0
        self._good = 0  # answers since the last failure
        self._cut_entries = 0  # asked for by a failed request, not yet understood

    def limit(self) -> int:
        """Return how many entries to ask for."""
        with self._lock:
            limit = self._limit()
            if self._cut_entries:
                limit = min(limit, max(FEWEST, self._cut_entries // 2))
            return limit

    def window(self) -> int:
        """Return how long a time to ask for, ns."""
        with self._lock:
            return max(1, int(min(self._window, self._longest)))

    def saw(self, entries: int, size: int, span: int) -> None:
        """Learn from an answer: *entries* of *size* bytes within *span* ns."""
        with self._lock:
            if entries:
                self._learn_size(entries, size)
            self._learn_failure()
            self._learn_window(entries, span)

    def failed(self, entries: int) -> None:
        """Learn that a request for so many *entries* broke off: ask for half."""
        with self._lock:
            self._cut_entries = max(FEWEST, min(entries, self._cut_entries or entries))
            self._good = 0

    def bound_entries(self, most: int) -> None:
        """Learn the server's own limit of entries."""
        with self._lock:
            self._most = max(FEWEST, min(self._most, most))

    def bound_window(self, longest: int) -> None:
        """Learn the server's own limit of time, ns."""
        with self._lock:
            self._longest = max(1, min(self._longest, longest))

    def narrow(self, span: int) -> None:
        """Learn that a time of *span* ns is too much for now."""
        with self._lock:
            self._window = float(max(1, span // 2))

    @property
    def longest(self) -> int:
        """Return the longest time that may be asked for, ns."""
        return self._longest

    @property
    def page_bytes(self) -> float:
        """Return the aim of one answer, bytes."""
        return self._page_bytes

    def state(self) -> State:
        """Return what was learned, to be stored; finite numbers only."""
        with self._lock:
            known: State = {
                "most": self._most,
                "longest": self._longest,
                "window": self._window,
                "entries": self._seen_entries,
                "bytes": self._seen_bytes,
                "deviation": self._deviation,
                "ceiling": self._ceiling,
                "strikes": self._strikes,
            }
            return {name: value for name, value in known.items() if value < math.inf}

    def restore(self, state: Mapping[str, object]) -> None:
        """Take up what another run learned; what makes no sense is left out.

        The settings still bound what was learned.
        """
        good = {
            name: float(value)
            for name, value in state.items()
            if isinstance(value, int | float) and 0 <= value < math.inf
        }
        with self._lock:
            self._most = max(FEWEST, min(self._most, int(good.get("most", self._most))))
            self._longest = max(1, int(min(self._longest, good.get("longest", 1e30))))
            self._window = max(1.0, good.get("window", self._window))
            self._seen_entries = good.get("entries", 0.0)
            self._seen_bytes = good.get("bytes", 0.0) if self._seen_entries else 0.0
            self._deviation = good.get("deviation", 0.0)
            self._ceiling = good.get("ceiling", math.inf)
            self._strikes = min(STRIKES, int(good.get("strikes", 0)))

    def _mean(self) -> float:
        return self._seen_bytes / self._seen_entries if self._seen_entries else 0.0

    def _limit(self) -> int:
        mean = self._mean()
        if not mean:
            return min(CAREFUL, self._most)
        room = min(self._page_bytes, self._ceiling / 2)
        fits = int(room / (mean + 2 * self._deviation))
        return max(FEWEST, min(self._most, fits))

    def _learn_size(self, entries: int, size: int) -> None:
        mean, weight = self._mean(), min(1.0, entries / CAREFUL)
        if mean:
            off = abs(size / entries - mean)
            self._deviation += weight * 0.25 * (off - self._deviation)
        self._seen_entries = self._seen_entries * FORGET**weight + entries
        self._seen_bytes = self._seen_bytes * FORGET**weight + size

    def _learn_failure(self) -> None:
        """Understand a failure once something smaller went well.

        The size that failed is halved from then on. It may have been an outage, so
        after a while twice as much is tried; after each failure that while is longer.
        """
        self._good += 1
        if self._cut_entries and self._mean():
            self._ceiling = self._cut_entries * self._mean()
            self._strikes = min(STRIKES, self._strikes + 1)
            self._cut_entries = 0
        elif self._strikes and self._good > TRIAL * PATIENT ** (self._strikes - 1):
            self._good = 0
            wider = 2 * self._ceiling
            self._ceiling = wider if wider / 2 < self._page_bytes else math.inf

    def _learn_window(self, entries: int, span: int) -> None:
        aim = FULLNESS * self._limit()
        fitting = aim * span / entries if entries else math.inf
        most, least = self._window * GROWTH, self._window / GROWTH
        self._window = min(max(fitting, least, 1.0), most, float(self._longest))
