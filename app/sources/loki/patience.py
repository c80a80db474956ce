"""Wait between attempts: longer each time, never in step with others, not for ever."""

import random
import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from app import clock
from app.errors import SourceUnavailable
from app.sources.loki.counters import Counters
from app.sources.loki.trouble import Passing

FIRST_S = 0.5
LONGEST_S = 30.0
LONGEST_ASKED_S = 300.0  # the most that a Retry-After is honoured

Wait = Callable[[float], bool]  # seconds → whether to stop instead of going on


class Waiter:
    """How one source waits; shared by its threads.

    Args:
        retries: attempts after the first.
        counters: where waits are noted.
        stop: ends every wait at once.
        wait: takes the place of ``stop.wait`` in tests.
        now: current time, UTC epoch ms; for Retry-After with a date.
    """

    def __init__(
        self,
        retries: int,
        counters: Counters,
        stop: threading.Event,
        wait: Wait | None = None,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self.retries = retries
        self.counters = counters
        self.stop = stop
        self.wait = wait or stop.wait
        self.now = now

    def patience(self) -> "Patience":
        """Start counting the attempts of one task."""
        return Patience(self)


class Patience:
    """The attempts that one task still has."""

    def __init__(self, waiter: Waiter) -> None:
        self._waiter = waiter
        self._failures = 0

    def spend(self, trouble: SourceUnavailable) -> None:
        """Wait before the next attempt.

        Raises:
            SourceUnavailable: there is none left, or Loki asks for more than 5 minutes,
                or we are stopping.
        """
        waiter = self._waiter
        asked = self._asked_for(trouble)
        if self._failures >= waiter.retries:
            attempts = self._failures + 1
            raise SourceUnavailable(
                f"{trouble} (gave up after {attempts} attempts)"
            ) from None
        if asked > LONGEST_ASKED_S:
            raise SourceUnavailable(f"{trouble} (come back in {asked:.0f} s)")
        seconds = asked or self._backoff()
        self._failures += 1
        waiter.counters.waited(seconds)
        if waiter.stop.is_set() or waiter.wait(seconds):
            raise SourceUnavailable(f"stopped while waiting: {trouble}") from None

    def _backoff(self) -> float:
        longest = min(LONGEST_S, FIRST_S * 2.0**self._failures)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads, hides nothing

    def _asked_for(self, trouble: SourceUnavailable) -> float:
        """Return the seconds of Retry-After, given as a number or a date; 0 if none."""
        text = trouble.retry_after if isinstance(trouble, Passing) else ""
        if not text:
            return 0.0
        if text.isdecimal() and text.isascii():
            return float(text[:9])
        try:
            due = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError):
            return 0.0
        return max(0.0, due - self._waiter.now() / 1000)
