"""Whatever changes a session marks the hour that it is counted in."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import DAY, HOUR, action, page_load
from tests.driver import Index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An empty index."""
    index = Index(tmp_path / "skald.db")
    yield index
    index.close()


def marked(index: Index) -> tuple[set[int], set[int]]:
    """Return which hours are marked, and forget it: of rollups, and of columns."""
    with sqlite3.connect(index.path) as db:
        rollups = {row[0] for row in db.execute("select bucket from rollup_dirty")}
        columns = {row[0] for row in db.execute("select hour from columns_dirty")}
        db.execute("delete from rollup_dirty")
        db.execute("delete from columns_dirty")
    db.close()
    return rollups, columns


def test_new_sessions_mark_their_hours(index: Index) -> None:
    """Each once, however many sessions begin in it."""
    index.ingest(
        page_load("s1", at="10:10:00")
        + page_load("s2", at="10:20:00")
        + page_load("s3", at="12:20:00")
    )
    hours = {DAY + 10 * HOUR, DAY + 12 * HOUR}
    assert marked(index) == (hours, hours)


def test_a_session_that_gets_longer_marks_where_it_begins(index: Index) -> None:
    """Its end is in no bucket."""
    index.ingest(page_load("s1", at="10:50:00"))
    marked(index)
    index.ingest(action("s1", "11:10:00", "pay"))
    assert marked(index) == ({DAY + 10 * HOUR}, {DAY + 10 * HOUR})


def test_a_session_that_moves_marks_both_of_its_hours(index: Index) -> None:
    """An earlier event came late: where it was and where it is are in question."""
    index.ingest(action("s1", "11:10:00", "pay"))
    marked(index)
    index.ingest(page_load("s1", at="10:50:00"))
    hours = {DAY + 10 * HOUR, DAY + 11 * HOUR}
    assert marked(index) == (hours, hours)


def test_nothing_new_marks_nothing(index: Index) -> None:
    """What is read twice changes nothing."""
    index.ingest(page_load("s1", at="10:50:00"))
    marked(index)
    index.ingest(page_load("s1", at="10:50:00"))
    assert marked(index) == (set(), set())
