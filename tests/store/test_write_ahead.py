"""The log of writes stays short, also while somebody reads all the time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.store import write_ahead
from tests.build import page_load
from tests.driver import Index

MOST = 256 << 10  # bytes
ROUNDS = 150
SESSIONS = 8  # of a round


@pytest.fixture(autouse=True)
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound the log to little, and wait for readers no longer than for ours."""
    monkeypatch.setattr(write_ahead, "MOST", MOST)
    monkeypatch.setattr(write_ahead, "_PATIENCE_S", 1.0)


def log_of(index: Index) -> int:
    """Return the size of the log, bytes."""
    return index.path.with_name(f"{index.path.name}-wal").stat().st_size


def write(index: Index, rounds: range = range(ROUNDS)) -> int:
    """Write sessions, some at a time; return the largest size of the log."""
    most = 0
    for number in rounds:
        names = [f"s{number}-{n}" for n in range(SESSIONS)]
        index.ingest(line for name in names for line in page_load(name, "10:10:00"))
        most = max(most, log_of(index))
    return most


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold what the index is now, as a question under way does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("begin")
        db.execute("select count(*) from sources").fetchone()
        yield db
        db.execute("rollback")


def read_on(path: Path, stop: threading.Event) -> None:
    """Read briefly, again and again."""
    while not stop.is_set():
        with reading(path):
            stop.wait(0.02)


def test_log_is_bounded_while_readers_overlap(index: Index) -> None:
    """There is hardly a moment in which nobody reads; the log begins anew even so."""
    write(index, range(1))
    stop = threading.Event()
    asked = (index.path, stop)
    readers = [threading.Thread(target=read_on, args=asked) for _ in range(6)]
    for each in readers:
        each.start()
    try:
        most = write(index)
    finally:
        stop.set()
        for each in readers:
            each.join()

    assert most < 8 * MOST  # it would be forty times that
    assert len(index.rows()) == ROUNDS * SESSIONS


def test_writer_goes_on_beside_a_long_reader(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads for long keeps the log, and no longer than they read."""
    monkeypatch.setattr(write_ahead, "_PATIENCE_S", 0.01)
    write(index, range(1))
    with reading(index.path) as reader:
        before = reader.execute("select count(*) from sessions").fetchone()
        longest = write(index)
        assert longest > 8 * MOST
        assert reader.execute("select count(*) from sessions").fetchone() == before

    write(index, range(ROUNDS, ROUNDS + 5))
    assert log_of(index) < 2 * MOST
    assert len(index.rows()) == (ROUNDS + 5) * SESSIONS


def test_others_are_waited_for_as_before(index: Index) -> None:
    """The patience with readers is not the one with those who write."""
    write(index)
    (busy_ms,) = index.writer._db.execute("pragma busy_timeout").fetchone()

    assert busy_ms == 10_000
