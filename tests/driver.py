"""A small deployment to test with: entries that arrive, runs of the indexer, answers."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.events.decoder import Batch, make_decoder
from app.jobs.index import Indexer, Report
from app.model import Entry, Session, Stream
from app.sessionql.plan import Window
from app.settings import Settings, SourceSettings
from app.sources import ReplaySource
from app.sources.model import Source, make_page
from app.store import open_reader, open_writer
from app.store.seam import Ingested, Progress, Reader, Search, Writer
from tests.build import DAY, HOUR, MS, ms

SOURCE = SourceSettings(lag_ms=0, horizon_ms=HOUR, start_ms=24 * HOUR)
WHOLE = Window(0, 1 << 53, 0, DAY + 48 * HOUR)
Fed = Entry | Iterable[Entry]


class Index:
    """One source, one index file.

    Every run is that of a new process, which knows only what the file tells it.
    """

    def __init__(self, path: Path, source: SourceSettings = SOURCE) -> None:
        self.path = path
        self.source = source
        self.settings = Settings(index=path, sources=(source,))
        self.entries: list[Entry] = []
        self._writer: Writer | None = None
        self._reader: Reader | None = None

    def feed(self, *given: Fed) -> None:
        """Let entries arrive in Loki."""
        for each in given:
            self.entries += [each] if isinstance(each, Entry) else each

    def run(self, now: str | int, source: Source | None = None) -> Report:
        """Follow what has arrived by *now*."""
        return self.indexer(source or self.replay(now)).follow(ms(now))

    def backfill(self, source: Source | None = None) -> Report:
        """Read all entries there are."""
        replay = ReplaySource(self.entries)
        return self.indexer(source or replay).backfill(*replay.span)

    def replay(self, now: str | int) -> ReplaySource:
        """Return a source of what has arrived by *now*."""
        until = ms(now) * MS
        return ReplaySource([entry for entry in self.entries if entry.ts < until])

    def ingest(self, entries: Iterable[Entry]) -> Ingested:
        """Write entries as one batch, in exactly this order."""
        batch = decode(entries, self.source)
        return self.writer.ingest(self.source.name, batch, Progress(0))

    def indexer(self, source: Source) -> Indexer:
        """Return the indexer of a new process."""
        return Indexer(self.source, source, self.writer)

    @property
    def writer(self) -> Writer:
        """Return the index, opened for writing."""
        if self._writer is None:
            self._writer = open_writer(self.settings)
        return self._writer

    @property
    def reader(self) -> Reader:
        """Return the index, opened for reading."""
        if self._reader is None:
            self._reader = open_reader(self.settings)
        return self._reader

    def session(self, session_id: str, app: str = "shop") -> Session:
        """Return the one session, which must be there."""
        found = self.reader.session(app, session_id)
        assert found is not None, f"no session {session_id} of {app}"
        return found

    def rows(self, **search: Any) -> list[dict[str, Any]]:
        """Return the rows of all sessions, oldest first."""
        asked = replace(Search(WHOLE, sort="start", descending=False), limit=1_000)
        return list(pages_of(self.reader, replace(asked, **search)))

    def close(self) -> None:
        """Let go of the file."""
        for opened in (self._reader, self._writer):
            if opened is not None:
                opened.close()
        self._reader = self._writer = None


def decode(entries: Iterable[Entry], source: SourceSettings = SOURCE) -> Batch:
    """Decode entries in exactly this order, as one page."""
    streams = [
        Stream(
            entry.labels,
            [[str(entry.ts), entry.line, {"structuredMetadata": entry.metadata}]],
        )
        for entry in entries
    ]
    batch = Batch()
    make_decoder(source).decode(make_page(0, 1, streams), batch)
    return batch


def pages_of(reader: Reader, search: Search) -> Iterator[dict[str, Any]]:
    """Yield the rows of a search, page by page, to the end."""
    while True:
        found = reader.search(search)
        yield from found.items
        if found.next_cursor is None:
            return
        search = replace(search, cursor=found.next_cursor)
