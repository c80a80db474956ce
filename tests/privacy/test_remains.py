"""Of whom is erased no byte stays in the file, nor in the log of writes beside it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreBusy
from app.jobs.privacy import finish
from app.store import open_privacy_book
from app.store.connect import open_for_reading
from app.store.privacy_seam import ERASURE
from tests.build import action, js_error, page_load
from tests.driver import Index
from tests.privacy.oracle import LATER, erase, everything

JANE = {
    "user_id": "u-jane-77",
    "user_email": "jane77@example.org",
    "user_username": "Jane 77",
}
SAID = (
    b"Jane of first",
    b"u-jane-77",
    b"jane77@",
    b"Jane 77",
    b"/of-jane",
    b"jane broke it",
    b"only-jane",
)


@pytest.fixture
def lived(index: Index) -> Index:
    """Return an index in which many wrote many times."""
    named = {"user_id": JANE["user_id"], "user_username": "Jane of first"}
    index.ingest(page_load("jane", "09:59", **named))
    for n in range(60):
        at = f"10:{n:02}"
        index.ingest(
            [
                *page_load("jane", at, f"/of-jane/{n}", **JANE),
                *js_error("jane", at, f"jane broke it {n}", **JANE),
                *action("jane-2", at, f"only-jane-{n}", **JANE),
                *page_load(f"other-{n}", at, user_id=f"u{n}"),
            ]
        )
    everything(index)
    return index


def remains(index: Index) -> bytes:
    """Return all bytes of the index on the disk."""
    folder = index.path.parent
    return b"".join(each.read_bytes() for each in folder.glob(f"{index.path.name}*"))


def journals(index: Index, *ids: str) -> list[bytes]:
    """Return pieces of packed journals as they are now; behind the head, which repeats."""
    with closing(sqlite3.connect(index.path)) as db:
        found = db.execute(
            "select j.data from journals as j join sessions as s on s.id = j.session"
            " where s.sid in (?, ?)",
            ids,
        )
        return [row[0][20:60] for row in found]


def test_no_byte_stays(lived: Index) -> None:
    """Neither strings nor packed journals, of no version, in no free page."""
    before, packed = remains(lived), journals(lived, "jane", "jane-2")
    assert len(packed) == 2
    assert all(each in before for each in (*SAID, *packed))

    erase(lived, "jane77@example.org")

    after = remains(lived)
    assert not [each for each in (*SAID, *packed) if each in after]
    assert b"/" in after


def test_remains_of_before_are_overwritten(lived: Index) -> None:
    """An index of a Skald that did not overwrite what it deleted is written anew, once."""
    with closing(sqlite3.connect(lived.path)) as db:
        db.execute("pragma secure_delete = off")
        db.execute("create table old (text)")
        db.executemany("insert into old values (?)", [("remains of jane",)] * 3_000)
        db.execute("delete from old where rowid % 7")
        db.execute("insert into privacy_unscrubbed values (1)")
        db.execute("update old set text = 'x'")
        db.commit()
    assert b"remains of jane" in remains(lived)

    erase(lived, "u-jane-77")

    assert b"jane" not in remains(lived)
    with closing(sqlite3.connect(lived.path)) as db:
        assert db.execute("select * from privacy_unscrubbed").fetchall() == []
        assert db.execute("pragma auto_vacuum").fetchone()[0] == 2


def test_question_under_way_keeps_an_erasure_open(
    lived: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who still reads what was before holds the log; the request says so, and goes on."""
    monkeypatch.setattr("app.store.connect.BUSY_S", 0.2)
    book = open_privacy_book(lived.settings)
    request = book.add(ERASURE, "u-jane-77", LATER)
    asking = open_for_reading(lived.path)
    asking.execute("begin")
    asking.execute("select count(*) from sessions").fetchone()
    book.claim("me", 1, request.id)
    with pytest.raises(StoreBusy, match="question under way"):
        finish(book, request.id, "me", "single_view")
    failed = book.get(ERASURE, request.id)
    assert failed is not None
    assert failed.state == "failed"
    assert book.identities(request.id) == []

    asking.close()
    book.claim("me", LATER, request.id)
    finish(book, request.id, "me", "single_view")
    done = book.get(ERASURE, request.id)
    book.close()

    assert done is not None
    assert (done.state, done.error, done.sessions) == ("done", "", 2)
    assert not [each for each in SAID if each in remains(lived)]


def test_file_gives_its_space_back(lived: Index, tmp_path: Path) -> None:
    """What was freed is no longer part of the file."""
    erase(lived, "u-jane-77")

    with closing(sqlite3.connect(lived.path)) as db:
        assert db.execute("pragma freelist_count").fetchone()[0] == 0
    assert (tmp_path / "skald.db-wal").stat().st_size < 200_000


def test_figures_are_made_anew(lived: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """When an erasure is done no hour or day waits for its rollups or columns."""
    monkeypatch.setattr("app.clock.now", lambda: LATER)

    erase(lived, "u-jane-77")

    with closing(sqlite3.connect(lived.path)) as db:
        for table in ("rollup_dirty", "columns_dirty", "loose"):
            assert db.execute(f"select * from {table}").fetchall() == []  # noqa: S608
