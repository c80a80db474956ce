"""Follow one selector in one Loki."""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager

from app import clock
from app.settings import SourceSettings
from app.sources.loki.ahead import Ahead
from app.sources.loki.client import Client
from app.sources.loki.counters import Counters
from app.sources.loki.counts import count_entries
from app.sources.loki.gauge import Gauge, State
from app.sources.loki.logql import parse_selector
from app.sources.loki.pager import Pager
from app.sources.loki.patience import Wait, Waiter
from app.sources.loki.probe import Probe, probe_loki
from app.sources.model import Page

AT_ONCE = 3  # requests; more would only be in each other's way, and take memory


class LokiSource:
    """A ``Source`` over HTTP; several threads may use it.

    Args:
        settings: of the source and its Loki.
        stop: ends waits and fetches at once when set.
        wait: takes the place of ``stop.wait`` in tests.
        now: current time, UTC epoch ms; for Retry-After with a date.

    Raises:
        SourceRefused: the URL or the selector cannot be used.
    """

    def __init__(
        self,
        settings: SourceSettings,
        stop: threading.Event | None = None,
        wait: Wait | None = None,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self.name = settings.name
        self.counters = Counters()
        self._loki = settings.loki
        self._stop = stop or threading.Event()
        self._waiter = Waiter(
            settings.loki.retries, self.counters, self._stop, wait, now
        )
        self._query = parse_selector(settings.selector)
        self._gauge = Gauge(settings.loki)
        self._pager = Pager(self._query, self._gauge)
        self._idle = [self._new_client()]
        self._lent: set[Client] = set()
        self._lock = threading.Lock()

    def pages(self, start: int, end: int) -> Generator[Page, None, None]:
        """Yield pages that cover ``[start, end)`` (ns): contiguous, ascending.

        One nanosecond is never divided: it is one page, whatever it weighs.

        Raises:
            SourceRefused: Loki's own text; asking again will not help.
            SourceUnavailable: Loki does not answer after all attempts.
            TooDense: entries of one nanosecond cannot be told apart.
        """
        depth = max(1, self._loki.prefetch)
        ahead = Ahead(
            self._pager.page,
            self._gauge.window,
            depth,
            depth * self._gauge.page_bytes,
            self._stop,
        )
        with self._borrowed(min(depth, AT_ONCE)) as clients:
            yield from ahead.read(clients, start, end)

    def counts(self, start: int, end: int, step_s: int) -> dict[int, int]:
        """Count entries per bucket *t* (ns): those in ``(t - step, t]``.

        Only buckets wholly inside ``(start, end]``; empty ones are left out.
        """
        with self._borrowed(1) as (client,):
            span = (start, end)
            return count_entries(client, self._query, self._gauge, span, step_s)

    def probe(self, now: int) -> Probe:
        """Try what reading takes, for ``skald doctor``; *now* is UTC epoch ns."""
        with self._borrowed(1) as (client,):
            return probe_loki(client, self._query, now)

    def state(self) -> State:
        """Return what was learned of this Loki: a small dictionary of numbers."""
        return self._gauge.state()

    def restore(self, state: Mapping[str, object]) -> None:
        """Take up what ``state`` gave in another run."""
        self._gauge.restore(state)

    def close(self) -> None:
        """Let go of connections; requests under way end. ``stop`` is not touched."""
        with self._lock:
            for client in self._lent:
                client.hang_up()
            for client in self._idle:
                client.close()
            self._idle.clear()

    def _new_client(self) -> Client:
        return Client(self._loki, self._waiter)

    @contextmanager
    def _borrowed(self, count: int) -> Iterator[list[Client]]:
        """Lend clients; after an exception they are not used again."""
        with self._lock:
            clients = [self._idle.pop() for _ in range(min(count, len(self._idle)))]
            clients += [self._new_client() for _ in range(count - len(clients))]
            self._lent.update(clients)
        try:
            yield clients
        except BaseException:
            for client in clients:
                client.close()
            raise
        else:
            with self._lock:
                self._idle += clients
        finally:
            with self._lock:
                self._lent.difference_update(clients)
