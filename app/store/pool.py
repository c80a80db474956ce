"""Keep readers open from one request to the next, and what they remember."""

import weakref
from pathlib import Path
from threading import Lock

import numpy.ma  # noqa: F401  # numpy.unique would import it

# what a reader imports when it is asked; a service does so before
import app.store.columns.answer
import app.store.columns.every
import app.store.rollups.answer  # noqa: F401
from app.settings import Settings
from app.store.answers import AnswerCache
from app.store.columns.cache import CACHE
from app.store.connect import open_for_reading
from app.store.seam import Reader
from app.store.weighed import WeighingReader, rates_of

_IDLE = 4  # readers that are kept open; more are opened as they are needed
Place = tuple[int, int]  # device and inode: which file a path means


class Readers:
    """The readers of one process, for one index and tenant; safe for threads.

    A reader is for one thread at a time; closing it gives it back. When the file is
    another than it was, or has other tables, all are opened anew.

    Attributes:
        answers: what they remember together; None before the first is opened.
    """

    def __init__(self, settings: Settings) -> None:
        CACHE.bound(settings.column_cache_bytes)
        self._settings = settings
        self._lock = Lock()
        self._idle: list[WeighingReader] = []
        self._place: Place | None = None
        self.answers: AnswerCache | None = None
        weakref.finalize(self, _close_all, self._idle)

    def open(self, _settings: Settings) -> Reader:
        """Return a reader that no other thread has.

        Raises:
            StoreError: there is no index, or it cannot be read.
        """
        place = _place_of(self._settings.index)
        with self._lock:
            if place != self._place:
                _close_all(self._idle)
                self._place, self.answers = place, None
            held = self._idle.pop() if self._idle else None
        if held is not None and not held.renew():
            held.close_for_good()
            held = None
        reader = held or self._open()
        reader.give_back = lambda: self._take_back(reader, place)
        return reader

    def _open(self) -> WeighingReader:
        settings = self._settings
        reader = WeighingReader(
            settings.index,
            settings.tenant,
            rates_of(settings),
            bounce=settings.bounce,
            timeout_s=settings.query_timeout_s,
        )
        with self._lock:
            if settings.answer_cache_bytes and self.answers is None:
                watch = open_for_reading(settings.index)
                self.answers = AnswerCache(watch, settings.answer_cache_bytes)
            reader.answers = self.answers
        return reader

    def _take_back(self, reader: WeighingReader, place: Place | None) -> None:
        with self._lock:
            if place == self._place and len(self._idle) < _IDLE:
                self._idle.append(reader)
                return
        reader.close_for_good()


def _place_of(path: Path) -> Place | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _close_all(readers: list[WeighingReader]) -> None:
    while readers:
        readers.pop().close_for_good()
