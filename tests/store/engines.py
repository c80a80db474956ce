"""The engines that the store's contract is tested with: add one here, and it is held."""

from pathlib import Path
from typing import Any, Protocol

from app.settings import Settings
from app.store import open_reader, open_writer
from app.store.reader import SqliteReader
from app.store.seam import Reader, Writer


class Engine(Protocol):
    """Opens one index, which is empty at first."""

    def writer(self, tenant: str = "default") -> Writer:
        """Open it for writing."""

    def reader(self, tenant: str = "default", **more: Any) -> Reader:
        """Open it for reading; ``timeout_s`` and ``bounce`` may be set."""

    def bytes(self) -> int:
        """Return how much room it takes."""


class Sqlite:
    """A file of SQLite."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "skald.db"
        self.opened: list[Any] = []

    def writer(self, tenant: str = "default") -> Writer:
        """Open it for writing."""
        writer = open_writer(Settings(index=self.path, tenant=tenant))
        self.opened.append(writer)
        return writer

    def reader(self, tenant: str = "default", **more: Any) -> Reader:
        """Open it for reading."""
        known = Settings(index=self.path, tenant=tenant)
        reader = SqliteReader(self.path, tenant, **more) if more else open_reader(known)
        self.opened.append(reader)
        return reader

    def bytes(self) -> int:
        """Return how much room the file takes, once its log is written back."""
        for opened in self.opened:
            opened.close()
        self.opened.clear()
        return self.path.stat().st_size


class Columns(Sqlite):
    """A file of SQLite whose sessions are kept by column when it is first read."""

    def reader(self, tenant: str = "default", **more: Any) -> Reader:
        """Open it for reading; rollups, which estimate quantiles, are not asked."""
        writer = self.writer(tenant)
        while writer.roll_up(1 << 52, "single_view"):
            pass
        return super().reader(tenant, **more, exact=True)


ENGINES = {"sqlite": Sqlite, "columns": Columns}
