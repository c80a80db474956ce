"""Read a world as the service would: a stand-in Loki, its pager, the indexer, a file."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.demo.standin import Limits, StandIn
from app.demo.world import SessionTruth, World
from app.jobs.index import Report
from app.model import Entry
from app.settings import LokiSettings, SourceSettings
from app.sources import LokiSource
from tests.build import HOUR, MINUTE, MS
from tests.driver import SOURCE, Index

NOON = 1_795_176_000_000  # 2026-11-20T12:00:00Z, ms
PLAIN = Limits(discover_service_name=False, discover_log_levels=False, hold_s=0.05)
SELECTOR = '{world="one"}'
AGES = (10, 20, 70)  # minutes of rest in which what came late is found


@dataclass(frozen=True, slots=True)
class Told:
    """A world that has been read: the index, and what is true.

    Attributes:
        index: after the last run.
        truths: of the visits that began in the range.
        reports: of the runs.
        since: when Loki got its first line, ms.
        until: when it got its last line, ms.
        entries: kept by Loki.
    """

    index: Index
    truths: list[SessionTruth]
    reports: list[Report]
    since: int
    until: int
    entries: int


def source_of(loki: StandIn, **more: int) -> SourceSettings:
    """Return settings of a source that reads a world from *loki*."""
    known = LokiSettings(url=loki.url, limit=1_000)  # less than a burst
    return replace(SOURCE, selector=SELECTOR, start_ms=HOUR, loki=known, **more)


def read_from(settings: SourceSettings) -> LokiSource:
    """Return a source that never waits between two attempts."""
    return LokiSource(settings, wait=lambda _seconds: False)


@contextmanager
def told_world(
    world: World, path: Path, *, minutes: int = 60, step: int = 20 * MINUTE
) -> Iterator[Told]:
    """Let a world happen before a stand-in Loki, and follow it from begin to end.

    Args:
        world: happens from an hour before noon on.
        path: of the index.
        minutes: visits that begin so long after noon are told.
        step: ms between two runs of the indexer.
    """
    truths = list(world.sessions(NOON, NOON + minutes * MINUTE))
    last = max(truth.last_received_ns for truth in truths) // MS
    reports, entries, before = [], 0, NOON - HOUR
    with StandIn(limits=PLAIN) as loki:
        settings = source_of(loki)
        index = Index(path, settings)
        while before <= last:
            now = max(NOON, before + step)
            entries += loki.load(selectable(world.live(before, now)))
            reports.append(index.run(now, read_from(settings)))
            before = now
        reports += [
            index.run(before + wait * MINUTE, read_from(settings)) for wait in AGES
        ]
        yield Told(index, truths, reports, NOON - HOUR, before, entries)
        index.close()


def selectable(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Add a label by which the lines of all dialects can be selected."""
    for entry in entries:
        labels = {**entry.labels, "world": "one"}
        yield Entry(entry.ts, entry.line, labels, entry.metadata)
