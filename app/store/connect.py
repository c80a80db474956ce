"""Open the index file, for the one who writes and for all who read."""

import sqlite3
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.errors import StoreBusy, StoreError, StoreFull
from app.store import write_ahead
from app.store.upgrading import check, migrate

BUSY_S = 10.0  # how long to wait for somebody else's transaction

# For each NULL and each blob that is bound, `sqlite3` looks for a way to adapt it, and
# raises and catches two exceptions unless it finds one: these leave them as they are.
_SAME: dict[None, None] = {}
sqlite3.register_adapter(type(None), _SAME.get)
sqlite3.register_adapter(bytes, bytes)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or create the index, and bring it up to date.

    Raises:
        StoreError: the file cannot be opened, is no index, or is a newer one's.
    """
    with explained(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma auto_vacuum = incremental")  # of a new file
        _log_ahead(connection)
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma secure_delete = on")  # what is erased is overwritten
        connection.execute("pragma cache_size = -12000")
        connection.execute("pragma temp_store = memory")
        connection.execute(f"pragma journal_size_limit = {write_ahead.MOST}")
        migrate(connection, path)
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Let readers go on while somebody writes.

    SQLite waits for nobody when it changes the mode of a file, so we do: two may open
    a new index at the same time.
    """
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorname.startswith(
                ("SQLITE_BUSY", "SQLITE_LOCKED")
            )
            if not is_busy or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


class Reading(sqlite3.Connection):
    """A connection that only reads, for one thread at a time.

    Attributes:
        memory: what was found lately, by the version of the index in which it was.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.memory: dict[Hashable, Any] = {}


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the index so that nothing can be written through it.

    Raises:
        StoreError: there is none yet, or it cannot be read, or is an older or newer one.
    """
    if not path.exists():
        raise StoreError(
            f"there is no index at {path} yet; `skald run` or `skald index` makes it"
        )
    with explained(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            factory=Reading,
        )
        connection.execute("pragma query_only = on")
        connection.execute("pragma cache_size = -8000")
        connection.execute("pragma temp_store = memory")
        if not check(connection, path):
            raise StoreError(
                f"{path} is older than this Skald; `skald run` upgrades it"
            )
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, with the file and a remedy.

    Raises:
        StoreFull, StoreBusy, StoreError: as the case may be.
    """
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith("SQLITE_FULL") or "disk is full" in text:
            raise StoreFull(
                f"no room left for {path}: free space, which retention needs as well,"
                " then shorten the retention; nothing was lost, the same lines are"
                " read again"
            ) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreBusy(
                f"{path} is held by another writer for over {BUSY_S:.0f} s;"
                " only one `skald run` or `skald worker` may write"
            ) from error
        raise StoreError(f"{path}: {text}{_remedy(name)}") from error


def _remedy(name: str) -> str:
    if name == "SQLITE_NOTADB":
        return "; this file is no Skald index, choose another path"
    if name.startswith("SQLITE_CANTOPEN"):
        return "; does its folder exist, and may this user write there?"
    if name.startswith("SQLITE_CORRUPT"):
        return "; the file is damaged: move it away and index again"
    if name.startswith("SQLITE_IOERR"):
        return "; the disk failed to answer"
    return ""


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let nothing that is written meanwhile be seen; one within another is the same."""
    if connection.in_transaction:
        yield
        return
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


class Deadline:
    """Stops a query that takes too long; a progress handler for SQLite."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self.seconds = seconds

    def __call__(self) -> int:
        """Return 1 when it is time to stop."""
        return int(time.monotonic() > self._until)
