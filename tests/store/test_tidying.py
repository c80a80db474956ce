"""Space is given back in short steps, and never what somebody needs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.store import upkeep
from app.store.tidying import Loose, find_loose, used_since
from tests.build import DAY, HOUR, page_load
from tests.driver import Index

LATER = DAY + 48 * HOUR


def numbers(index: Index, *texts: str) -> set[int]:
    """Return the numbers of strings that there are."""
    marks = ",".join("?" * len(texts))
    with closing(sqlite3.connect(index.path)) as db:
        found = db.execute(f"select id from strings where value in ({marks})", texts)  # noqa: S608
        return {row[0] for row in found}


def pages(index: Index) -> int:
    """Return of how many pages the file is."""
    with closing(sqlite3.connect(index.path)) as db:
        return int(db.execute("pragma page_count").fetchone()[0])


def test_string_that_is_needed_again_is_kept(index: Index) -> None:
    """A session comes while all tables are looked through: its strings stay."""
    index.ingest(page_load("s1", "10:10:00", page="/a"))
    index.ingest(page_load("s2", "10:20:00", page="/b"))
    index.writer.expire(LATER)
    loose = find_loose(index.path)
    assert not loose.used
    assert numbers(index, "/a", "/b") <= loose.strings

    index.ingest(page_load("s3", "15:10:00", page="/b"))
    with closing(sqlite3.connect(index.path)) as db:
        used = used_since(db, loose.strings, loose.change)

    assert numbers(index, "/b") <= used
    assert not numbers(index, "/a") & used


def test_string_that_nobody_needs_goes(index: Index) -> None:
    """What another session refers to as well is kept."""
    index.ingest(page_load("s1", "10:10:00", page="/a"))
    index.ingest(page_load("s2", "15:10:00", page="/b"))
    index.writer.expire(DAY + 12 * HOUR)
    while index.writer.tidy():
        pass

    assert not numbers(index, "/a")
    assert numbers(index, "/b")
    assert index.session("s2").entry == "/b"


def test_string_that_becomes_loose_meanwhile_goes(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last session that needs it is deleted while all tables are looked through."""
    index.ingest(page_load("s1", "10:10:00", page="/a"))
    index.ingest(page_load("s2", "15:10:00", page="/a"))
    index.writer.expire(DAY + 12 * HOUR)

    def look_and_delete(path: Path) -> Loose:
        found = find_loose(path)
        index.writer.expire(LATER)
        return found

    monkeypatch.setattr(upkeep, "find_loose", look_and_delete)
    while index.writer.tidy():
        pass

    assert not numbers(index, "/a")


def test_string_that_a_session_needed_once_goes(index: Index) -> None:
    """A session goes on, and its attribute has another value: the first goes, later."""
    index.ingest(page_load("s1", "10:10:00", session_attr_cart="17.43"))
    index.ingest(page_load("s1", "10:11:00", session_attr_cart="42.02"))
    index.ingest(page_load("s2", "05:10:00", session_attr_cart="11.70"))
    index.writer.expire(DAY + 8 * HOUR)
    while index.writer.tidy():
        pass

    assert not numbers(index, "17.43", "11.70")
    assert numbers(index, "42.02")


def test_retention_goes_in_short_steps(index: Index) -> None:
    """Few sessions a transaction, so that the writer does not wait; many pages a step."""
    for first in range(0, 1_200, 100):
        index.ingest(
            entry
            for n in range(first, first + 100)
            for entry in page_load(f"s{n}", "10:10:00", page=f"/p/{n}")
        )
    steps = [index.writer.expire(LATER) for _ in range(4)]
    before = pages(index)
    tidied = 1
    while index.writer.tidy():
        tidied += 1

    assert steps == [500, 500, 200, 0]
    assert pages(index) < before - 100
    assert tidied < 10
