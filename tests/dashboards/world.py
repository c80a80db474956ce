"""An index in which every board has something to show: a demo world and all corpora."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from app.demo.world import World
from app.model import Entry
from app.settings import SourceSettings
from tests.corpus import corpus, worlds
from tests.driver import SOURCE, Index

HOUR = 3_600_000
WORLD_FROM = 1_795_154_400_000  # 2026-11-20T06:00:00Z, when the last corpus begins
WORLD_TO = WORLD_FROM + 2 * HOUR
START = 1_794_700_800_000  # 2026-11-15T00:00:00Z
END = 1_795_176_000_000  # 2026-11-20T12:00:00Z
OTHERS = ("openobserve", "langfuse", "clm")


def fill(path: Path) -> None:
    """Write the index: five sources, one after the other."""
    world = World(
        11,
        sessions_per_hour=120,
        visitors=40,
        incident_ms=WORLD_FROM + HOUR,
        incident_hours=1,
    )
    _read(path, replace(SOURCE, name="world"), world.history(WORLD_FROM, WORLD_TO))
    _read(path, replace(SOURCE, name="faro"), corpus.entries("lines"))
    for name in OTHERS:
        _read(path, worlds.source(name), worlds.entries(name))


def _read(path: Path, source: SourceSettings, entries: Iterable[Entry]) -> None:
    index = Index(path, source)
    index.feed(entries)
    index.backfill()
    index.close()
