"""Keep what row groups gave to answers: a row group never changes, nor does its share.

A dashboard asks the same of a range that moves on: most of its row groups were asked
before.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from app.store.columns.cache import CACHE
from app.store.columns.chunks import Array

Share = TypeVar("Share", bound=tuple[Any, ...])

_OVERHEAD = 400  # bytes of an entry, about


class ShareCache:
    """The shares used last, up to so many bytes; safe for threads."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most  # None: as many as columns may take
        self._held: OrderedDict[Hashable, tuple[tuple[Any, ...], int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    @property
    def most(self) -> int:
        """Return how many bytes may be held."""
        return CACHE.most if self._most is None else self._most

    def of(
        self, key: Hashable, compute: Callable[[], Share], largest: int | None = None
    ) -> Share:
        """Return what is held under *key*; what *compute* returns, where nothing is.

        Args:
            key: a row group, which of its rows, and the question.
            compute: returns a tuple of arrays and numbers; nobody may change them.
            largest: a share of more bytes is not kept; None = an eighth of what may be.
        """
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found[0]  # type: ignore[return-value]
        share = compute()
        size = _OVERHEAD + sum(
            each.nbytes for each in share if isinstance(each, np.ndarray)
        )
        if size <= (
            self.most // 8 if largest is None else min(largest, self.most // 8)
        ):
            self._put(key, share, size)
        return share

    def _put(self, key: Hashable, share: tuple[Any, ...], size: int) -> None:
        with self._lock:
            _, held = self._held.pop(key, ((), 0))
            self._bytes += size - held
            self._held[key] = share, size
            while self._bytes > self.most:
                _, (_, gone) = self._held.popitem(last=False)
                self._bytes -= gone

    @property
    def nbytes(self) -> int:
        """Return how much is held, about."""
        return self._bytes


def narrow(values: Array) -> Array:
    """Return whole numbers in as few bytes as they need, where none is negative."""
    most = int(values.max(initial=0))
    if most > np.iinfo(np.uint32).max or int(values.min(initial=0)) < 0:
        return values
    return values.astype(np.min_scalar_type(most))


SHARES = ShareCache()
