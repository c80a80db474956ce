"""Keep columns that were read, up to so many bytes, for all readers of a process."""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy takes memory that not everyone has a use for
    from app.store.columns.chunks import Column

Key = tuple[int, str]  # row group, column: a row group never changes


class ColumnCache:
    """The columns used last; safe for threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: OrderedDict[Key, Column] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def bound(self, most: int) -> None:
        """Hold at most so many bytes from now on."""
        self.most = most

    def get(self, key: Key) -> "Column | None":
        """Return a column that is held."""
        with self._lock:
            column = self._held.get(key)
            if column is not None:
                self._held.move_to_end(key)
            return column

    def put(self, key: Key, column: "Column") -> None:
        """Hold a column, and let go of those that were not used for longest."""
        size = column.nbytes
        if size > self.most:
            return
        with self._lock:
            held = self._held.pop(key, None)
            self._bytes += size - (held.nbytes if held is not None else 0)
            self._held[key] = column
            while self._bytes > self.most:
                _, gone = self._held.popitem(last=False)
                self._bytes -= gone.nbytes

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Return how much is held."""
        return self._bytes


CACHE = ColumnCache(6 << 20)
