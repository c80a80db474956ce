"""Do what people ask about their data, a step at a time, so that indexing goes on."""

import logging
import threading
from collections.abc import Callable

from app import clock
from app.errors import SkaldError
from app.settings import Settings
from app.store import open_privacy_book
from app.store.privacy_seam import PrivacyBook

log = logging.getLogger(__name__)

PAUSE_S = 0.005  # after each step


class PrivacyJob:
    """Serves requests in the process that runs the jobs, with a connection of its own.

    Args:
        settings: which index, how long requests are remembered.
        owner: name of this process.
        stop: ends a request under way at its next step; it goes on another time.
        leads: set while this process may work.

    Raises:
        StoreError: the index cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        owner: str,
        stop: threading.Event,
        leads: threading.Event,
    ) -> None:
        self._settings, self._owner = settings, owner
        self._stop, self._leads = stop, leads
        self._book = open_privacy_book(settings)

    def run(self) -> None:
        """Do what was asked, and forget what was done long ago.

        Raises:
            SkaldError: a request failed.
        """
        bounce = self._settings.bounce
        done = serve_requests(self._book, self._owner, bounce, self._goes_on)
        if done:
            log.info("served requests about people's data", extra={"requests": done})
        self._book.expire(clock.now() - self._settings.export_retention_ms)

    def close(self) -> None:
        """Let go of the index."""
        self._book.close()

    def _goes_on(self) -> bool:
        return self._leads.is_set() and not self._stop.is_set()


def serve_requests(
    book: PrivacyBook, owner: str, bounce: str, go_on: Callable[[], bool]
) -> int:
    """Do the requests that nobody works on, oldest first; return how many were done.

    Args:
        book: the requests.
        owner: who works on them: one name a process.
        bounce: which definition, for figures that are made anew.
        go_on: says whether there is time for another step.

    Raises:
        SkaldError: one failed, which it says itself; it is tried again later.
    """
    done = 0
    while go_on():
        request = book.claim(owner, clock.now())
        if not request or not finish(book, request, owner, bounce, go_on):
            break
        done += 1
    return done


def finish(
    book: PrivacyBook,
    request: str,
    owner: str,
    bounce: str,
    go_on: Callable[[], bool] = lambda: True,
) -> bool:
    """Do a request that *owner* has claimed; return whether it is done.

    Raises:
        SkaldError: it failed, which it says itself.
    """
    pause = threading.Event()
    try:
        while go_on():
            if not book.advance(request, owner, clock.now(), bounce):
                return True
            pause.wait(PAUSE_S)
    except SkaldError as error:
        book.fail(request, str(error), clock.now())
        raise
    return False
