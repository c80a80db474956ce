"""Follow a source: read what is new, then what came late, and commit as it goes.

Everything is driven by the stored cursor. A run that dies anywhere is repeated by the
next one from there, and what was read twice changes nothing.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import app.events.formats  # noqa: F401  # registers the decoders
from app import clock
from app.errors import SourceError
from app.events.decoder import Batch, make_decoder
from app.jobs.late import MINUTE, SECOND, find_late, settle
from app.model import Page
from app.settings import SourceSettings
from app.sources.model import Source
from app.store.writing_seam import Progress, Writer

FLUSH_ENTRIES = 16_000  # decoded before they are committed; bounds memory
FLUSH_BYTES = 20 << 20


@dataclass(slots=True)
class Report:
    """What a run did."""

    entries: int = 0
    bytes: int = 0
    late_entries: int = 0  # read again, since lines came late
    events: int = 0  # new ones
    repeated: int = 0
    sessions: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    cursor: int = 0  # ns
    is_done: bool = True  # False: the deadline came first

    def facts(self) -> dict[str, Any]:
        """Return what a log line says of it."""
        return {
            "entries": self.entries,
            "late": self.late_entries,
            "events": self.events,
            "repeated": self.repeated,
            "sessions": self.sessions,
            "unreadable": sum(self.dropped.values()),
        }


class Indexer:
    """Reads one source into the index.

    Args:
        settings: of the source.
        source: where entries come from.
        store: where they go.
        lease: (name, owner) that must hold for anything to be written.
    """

    def __init__(
        self,
        settings: SourceSettings,
        source: Source,
        store: Writer,
        lease: tuple[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._name = settings.name
        self._source = source
        self._store = store
        self._lease = lease
        self._decoder = make_decoder(settings)
        store.declare(
            settings.name,
            settings.inactivity_ms,
            settings.max_events,
            settings.max_session_ms,
            settings.max_new_sessions,
        )
        self._restore()

    def _restore(self) -> None:
        state = self._store.notes(self._name).get("source")
        if state:
            self._source.restore(state)

    def follow(
        self, now: int, deadline: float | None = None, progress: "Tell | None" = None
    ) -> Report:
        """Read all that came since the last run.

        1. Look whether lines came late, at growing ages, and read those again.
        2. Read on from the cursor to *now* less the lag.
        3. Note from when on lines may still come late.

        Args:
            now: UTC epoch ms.
            deadline: by ``clock.monotonic()``; stop after the page under way.
            progress: told of each committed step.

        Raises:
            SourceError, StoreError: what was committed before it stays.
        """
        settings = self._settings
        until = (now - settings.lag_ms) * 1_000_000
        cursor = self._store.cursor(self._name)
        report = Report(cursor=cursor)
        if cursor:
            self._catch_late(cursor, now, report)
        else:
            cursor = (now - settings.start_ms) * 1_000_000
        if until > cursor:
            checked = self._notes().get("checked", {})
            checked = settle(checked, cursor, until, now, settings.horizon_ms)
            start = self._rewind(cursor, now)
            notes = {"checked": checked}
            self._read(start, until, report, notes, deadline, progress)
        return report

    def _rewind(self, cursor: int, now: int) -> int:
        """Return where to read on: after a long pause, at the last full minute.

        The minute under way when the pause began was never counted again, and lines
        that came late to it would be missed.
        """
        if cursor // 1_000_000 > now - self._settings.horizon_ms:
            return cursor
        return cursor // (MINUTE * SECOND) * MINUTE * SECOND + 1

    def backfill(self, start: int, end: int, progress: "Tell | None" = None) -> Report:
        """Read ``[start, end)`` (ns), whatever was read before; twice is once.

        The cursor moves only when the range continues what has been read, or when
        nothing has been.
        """
        cursor = self._store.cursor(self._name)
        report = Report(cursor=cursor)
        moves = cursor == 0 or start <= cursor
        self._read(start, end, report, {}, None, progress, moves=moves)
        return report

    # -- reading -------------------------------------------------------------------

    def _read(
        self,
        start: int,
        end: int,
        report: Report,
        notes: Mapping[str, Any],
        deadline: float | None,
        progress: "Tell | None",
        *,
        moves: bool = True,
    ) -> None:
        """Read, decode and commit ``[start, end)``; what was read before an error stays.

        With *moves*, the cursor follows.
        """
        batch, counts, reached, since = Batch(), self._held_at(start), 0, start

        def commit() -> None:
            nonlocal batch, counts, since
            cursor = reached if moves else 0
            self._commit(batch, counts, cursor, notes, report, since)
            batch, counts, since = Batch(), _last_second(counts, reached), reached
            if progress:
                progress(report, reached)

        pages, failed = self._source.pages(start, end), None
        try:
            for page in pages:
                count_seconds(page, counts)
                self._decoder.decode(page, batch)  # uses it up
                reached = page.end
                if batch.entries >= FLUSH_ENTRIES or batch.bytes >= FLUSH_BYTES:
                    commit()
                if deadline is not None and clock.monotonic() > deadline:
                    report.is_done = reached >= end
                    break
        except SourceError as error:
            failed = error
        finally:
            pages.close()  # ends what is fetched ahead
        if reached:
            commit()
        if failed:
            raise failed

    def _held_at(self, start: int) -> Counter[int]:
        """Return what is held of the second that *start* lies in, if it goes on."""
        if start % SECOND == 1:  # a second begins
            return Counter()
        second = second_of(start)
        return Counter(self._store.counts(self._name, second - 1, second))

    def _commit(
        self,
        batch: Batch,
        counts: Mapping[int, int],
        cursor: int,
        notes: Mapping[str, Any],
        report: Report,
        since: int | None = None,
    ) -> None:
        state = self._source.state()
        held = {**self._notes(), **notes, "source": state}
        settled = cursor // SECOND - 2 * self._settings.horizon_ms // 1000
        progress = Progress(cursor, counts, held, max(0, settled), since)
        done = self._store.ingest(self._name, batch, progress, self._lease)
        report.entries += batch.entries
        report.bytes += batch.bytes
        report.events += done.events
        report.repeated += done.repeated
        report.sessions += done.sessions
        report.cursor = max(report.cursor, cursor)
        for reason, lines in done.dropped.items():
            report.dropped[reason] = report.dropped.get(reason, 0) + lines

    def _notes(self) -> dict[str, Any]:
        return self._store.notes(self._name)

    # -- late lines ----------------------------------------------------------------

    def _catch_late(self, cursor: int, now: int, report: Report) -> None:
        """Read again the seconds in which there are more lines now than were read."""
        if not self._settings.horizon_ms:
            return
        late = find_late(
            self._source,
            lambda since, until: self._store.counts(self._name, since, until),
            self._notes().get("checked", {}),
            cursor // SECOND,
            now,
            self._settings.horizon_ms,
        )
        for since, until in late.ranges:
            self._read_again(since, until, report)
        if late.checked != self._notes().get("checked", {}):
            self._commit(Batch(), {}, 0, {"checked": late.checked}, report)

    def _read_again(self, since: int, until: int, report: Report) -> None:
        """Read the seconds ``(since, until]`` again, and hold what is in them now."""
        before = report.entries
        batch = Batch()
        counts = Counter[int](dict.fromkeys(range(since + 1, until + 1), 0))
        for page in self._source.pages(since * SECOND + 1, until * SECOND + 1):
            count_seconds(page, counts)
            self._decoder.decode(page, batch)
        self._commit(batch, counts, 0, {}, report)
        report.late_entries += report.entries - before


Tell = Callable[[Report, int], None]  # (so far, ns reached)


def second_of(ts: int) -> int:
    """Return the second *s* for which *ts* (ns) is in ``(s - 1, s]``, as LogQL counts."""
    return -(-ts // SECOND)


def count_seconds(page: Page, counts: Counter[int]) -> None:
    """Add the entries of *page* to *counts*, by the second that LogQL counts them in."""
    stamps = [int(value[0]) for stream in page.streams for value in stream.values]
    stamps.sort()
    at = 0
    while at < len(stamps):
        second = second_of(stamps[at])
        after = bisect_right(stamps, second * SECOND, at)
        counts[second] += after - at
        at = after


def _last_second(counts: Counter[int], reached: int) -> Counter[int]:
    """Return the count of the second under way, which the next page goes on with."""
    second = second_of(reached)
    return Counter({second: counts[second]}) if second in counts else Counter()
