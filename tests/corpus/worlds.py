"""The corpora of OpenObserve, Langfuse and the CLM tracker, and indexes made of them.

Each ``truth.json`` was written by the plan that made the lines; ``_rules`` among it are
the definitions.
"""

import gzip
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from app.model import Entry, Session
from app.settings import HOUR, SourceSettings
from tests.build import MS
from tests.driver import Index
from tests.dump import dump

DATA = Path(__file__).parents[1] / "data"
DAY = 24 * HOUR
SECTIONS = (
    "sessions", "views", "actions", "errors", "activity", "users", "attributes",
    "traces", "usage", "tags", "scores",
)  # fmt: skip
Truth = dict[str, Any]


@cache
def truth(name: str) -> Truth:
    """Return the truth of one corpus."""
    return dict(orjson.loads(_read(name, "truth.json")))


@cache
def entries(name: str) -> tuple[Entry, ...]:
    """Return the entries of one corpus, in the order of the file."""
    rows = [orjson.loads(line) for line in _read(name, "lines.jsonl").splitlines()]
    return tuple(
        Entry(int(row["ts_ns"]), row["line"], row["labels"], {}) for row in rows
    )


def _read(name: str, file: str) -> bytes:
    return gzip.decompress((DATA / name / f"{file}.gz").read_bytes())


def source(name: str, **more: Any) -> SourceSettings:
    """Return the settings of the source of one corpus."""
    return SourceSettings(
        name=name, format=name, lag_ms=0, horizon_ms=HOUR, start_ms=7 * DAY, **more
    )


def index_of(name: str, folder: Path, **more: Any) -> Index:
    """Return the index of all lines, read in order."""
    index = Index(folder / f"{name}.db", source(name, **more))
    index.feed(entries(name))
    index.backfill()
    return index


def sessions(index: Index, app: str, session_id: str) -> Session:
    """Return one session as the store answers it."""
    return index.session(session_id, app)


@cache
def whole(name: str) -> Any:
    """Return what the index of all lines, read in order and once, holds."""
    return derived(name, [list(entries(name))])


def derived(name: str, batches: list[list[Entry]], **more: Any) -> Any:
    """Return what an index holds after those batches."""
    with TemporaryDirectory() as folder:
        index = Index(Path(folder) / "skald.db", source(name, **more))
        for batch in batches:
            index.ingest(batch)
        return sections(index)


def followed(name: str, cuts: list[float]) -> Any:
    """Return what an index holds when it was read while the lines came in."""
    lines = entries(name)
    stamps = [entry.ts // MS for entry in lines]
    first, last = min(stamps), max(stamps) + 2
    with TemporaryDirectory() as folder:
        index = Index(Path(folder) / "skald.db", source(name))
        index.feed(lines)
        for share in [*sorted(cuts), 1.0]:
            index.run(now=first + round(share * (last - first)))
        return sections(index)


def mixed(name: str, seed: int, batches: int) -> list[list[Entry]]:
    """Return the lines shuffled, some of them twice, in so many batches."""
    dice = random.Random(seed)
    lines = list(entries(name))
    lines += dice.sample(lines, len(lines) // 4)
    dice.shuffle(lines)
    return [lines[n::batches] for n in range(batches)]


def sections(index: Index) -> Any:
    """Return everything derived from events, and let go of the index."""
    index.close()
    tables = dump(index.path)
    return [tables[name] for name in SECTIONS]


def differences(got: Truth, wanted: Truth) -> Iterator[str]:
    """Yield every field that is not as wanted."""
    for name, value in wanted.items():
        if got[name] != value:
            yield f"{name}: {got[name]!r} is not {value!r}"
