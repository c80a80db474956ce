"""Fetch pages ahead of their reader: in order, and never more than agreed."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.errors import SourceUnavailable
from app.sources.loki.client import Client
from app.sources.model import Page

LOOK_S = 0.2  # how often a waiting reader looks whether to stop
JOIN_S = 2.0  # how long to wait for threads whose connection was hung up
Fetch = Callable[[Client, int, int], Page]  # the first page of [start, end)


@dataclass(slots=True, eq=False)
class _Stretch:
    """A piece of the time line: waiting, being fetched, or fetched."""

    start: int
    end: int
    is_busy: bool = False
    page: Page | None = None
    error: BaseException | None = None

    @property
    def is_waiting(self) -> bool:
        return not self.is_busy and self.page is None and self.error is None


class Ahead:
    """The stretches of ``[start, end)`` that are not read yet, oldest first.

    Threads take the first waiting stretch, cut to the window that the gauge advises.
    A fetch may give less than that; what is left waits again, in its place.

    Args:
        fetch: gives the first page of a stretch.
        window: ns that one fetch should ask for.
        depth: pages fetched or being fetched, beside the one that was read last.
        room: bytes of pages fetched ahead, above which only that next one is fetched.
        stop: ends reading, also while Loki holds a request.
    """

    def __init__(
        self,
        fetch: Fetch,
        window: Callable[[], int],
        depth: int,
        room: float,
        stop: threading.Event,
    ) -> None:
        self._fetch = fetch
        self._window = window
        self._depth = depth
        self._room = room
        self._stop = stop
        self._line: deque[_Stretch] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def read(self, clients: list[Client], start: int, end: int) -> Iterator[Page]:
        """Yield the pages of ``[start, end)``, with one thread for each of *clients*.

        Raises:
            SourceError: what a fetch raised, after the pages before it.
        """
        if start >= end:
            return
        self._line.append(_Stretch(start, end))
        threads = [
            threading.Thread(
                target=self._work, args=(client,), name="loki-pages", daemon=True
            )
            for client in clients
        ]
        try:
            for thread in threads:
                thread.start()
            while self._line:
                yield self._next()
        finally:
            self._close(clients)
            for thread in threads:
                if thread.ident is not None:
                    thread.join(JOIN_S)

    def _next(self) -> Page:
        """Wait for the oldest stretch and take its page."""
        with self._changed:
            while (head := self._line[0]).page is None:
                if head.error is not None:
                    raise head.error
                if self._stop.is_set():
                    raise SourceUnavailable("stopped reading Loki")
                self._changed.wait(LOOK_S)
            self._line.popleft()
            self._changed.notify_all()
            return head.page

    def _work(self, client: Client) -> None:
        """Fetch stretch after stretch until there is no more to do."""
        while stretch := self._take():
            try:
                page = self._fetch(client, stretch.start, stretch.end)
            except BaseException as err:  # noqa: BLE001 - the reader raises it
                self._fail(stretch, err)
            else:
                self._deliver(stretch, page)

    def _take(self) -> _Stretch | None:
        """Wait for a stretch that may be fetched; None when all is over."""
        with self._changed:
            while self._line and not self._is_closed:
                if stretch := self._allowed():
                    stretch.is_busy = True
                    return stretch
                self._changed.wait()
            return None

    def _allowed(self) -> _Stretch | None:
        """Return the first waiting stretch, cut to a window, if there is room for it.

        The stretch that is read next may always be fetched, else all would wait.
        Nothing is begun after one that failed.
        """
        for at, stretch in enumerate(self._line):
            if stretch.error is not None:
                return None
            if not stretch.is_waiting:
                continue
            if at and not self._has_room():
                return None
            end = stretch.start + self._window()
            if end < stretch.end:
                self._line.insert(at + 1, _Stretch(end, stretch.end))
                stretch.end = end
            return stretch
        return None

    def _has_room(self) -> bool:
        begun = [each for each in self._line if not each.is_waiting]
        weight = sum(each.page.bytes for each in begun if each.page)
        return len(begun) < self._depth and weight < self._room

    def _deliver(self, stretch: _Stretch, page: Page) -> None:
        with self._changed:
            if page.end < stretch.end:
                self._wait_again(stretch, page.end)
            stretch.page, stretch.is_busy = page, False
            self._changed.notify_all()

    def _wait_again(self, stretch: _Stretch, since: int) -> None:
        """Let what a fetch left over wait in its place."""
        after = self._line.index(stretch) + 1
        if after < len(self._line) and self._line[after].is_waiting:
            self._line[after].start = since
        else:
            self._line.insert(after, _Stretch(since, stretch.end))
        stretch.end = since

    def _fail(self, stretch: _Stretch, err: BaseException) -> None:
        """Let the reader meet *err* in its turn."""
        with self._changed:
            stretch.error, stretch.is_busy = err, False
            self._changed.notify_all()

    def _close(self, clients: list[Client]) -> None:
        with self._changed:
            finished = not self._line
            self._is_closed = True
            self._line.clear()
            self._changed.notify_all()
        if not finished:
            for client in clients:
                client.hang_up()
