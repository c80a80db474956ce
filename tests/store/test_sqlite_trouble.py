"""What is wrong with an index file is said with the file and a remedy; nothing is lost."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.errors import StoreBusy, StoreError, StoreFull, StoreNewer
from app.settings import Settings
from app.store import connect, open_reader, open_writer
from tests.corpus.corpus import entries
from tests.driver import Index
from tests.dump import dump

LINES = entries("lines")
HALF = len(LINES) // 2


def whole(folder: Path) -> object:
    """Return what the index holds when nothing goes wrong."""
    index = Index(folder / "whole.db")
    index.ingest(LINES[:HALF])
    index.ingest(LINES[HALF:])
    index.close()
    return dump(index.path)


def test_full_index_says_so_and_goes_on_when_there_is_room(index: Index) -> None:
    """A full disk loses nothing: what could not be written is written later."""
    index.ingest(LINES[:HALF])
    before = dump(index.path)
    pages = index.writer._db.execute("pragma page_count").fetchone()[0]
    index.writer._db.execute(f"pragma max_page_count = {pages}")

    with pytest.raises(StoreFull, match=r"no room left for .*free space"):
        index.ingest(LINES[HALF:])
    assert dump(index.path) == before

    index.writer._db.execute("pragma max_page_count = 1000000")
    index.ingest(LINES[HALF:])
    assert dump(index.path) == whole(index.path.parent)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 2 MB; skips where that is not allowed."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_loses_nothing(tmp_path: Path) -> None:
    """On a disk that is really full, the same: said, and gone on with after."""
    with small_disk(tmp_path / "disk") as disk:
        index = Index(disk / "skald.db")
        index.ingest(LINES[:HALF])
        ballast = disk / "ballast"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(b"x" * max(0, free - 8_192))

        with pytest.raises(StoreFull, match="no room left"):
            index.ingest(LINES[HALF:])

        ballast.unlink()
        index.ingest(LINES[HALF:])
        index.close()
        assert dump(index.path) == whole(tmp_path)


def test_locked_index_says_who_may_write(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When somebody else writes for too long, that is said; later it works."""
    monkeypatch.setattr(connect, "BUSY_S", 0.1)
    index.ingest(LINES[:HALF])
    with closing(sqlite3.connect(index.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreBusy, match=r"another writer.*only one"):
            index.ingest(LINES[HALF:])

    index.ingest(LINES[HALF:])
    assert dump(index.path) == whole(index.path.parent)


@pytest.mark.parametrize("open_index", [open_reader, open_writer])
def test_newer_index_is_left_alone(index: Index, open_index: object) -> None:
    """An index of a newer Skald is refused, by name of what is unknown."""
    index.ingest(LINES[:HALF])
    index.writer._db.execute(
        "insert into _sqlite_migrations (migration_set, name, applied_at)"
        " values ('skald', 'add_moods', 'tomorrow')"
    )

    with pytest.raises(StoreNewer, match=r"newer Skald \(add_moods\); upgrade Skald"):
        open_index(index.settings)


@pytest.mark.parametrize("open_index", [open_reader, open_writer])
@pytest.mark.parametrize(
    "content", [b"no index\n" * 1000, b"SQLite format 3\0" + b"x" * 5000]
)
def test_other_file_is_no_index(
    tmp_path: Path, open_index: object, content: bytes
) -> None:
    """A file of something else is refused and stays as it was."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=r"notes\.txt: .*; "):
        open_index(Settings(index=path))
    assert path.read_bytes() == content


def test_database_of_something_else_is_no_index(tmp_path: Path) -> None:
    """Somebody else's database gets no tables of ours."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table sessions (id integer primary key, basket text)")

    with pytest.raises(StoreError, match="no Skald index"):
        open_writer(Settings(index=path))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("select count(*) from sqlite_master").fetchone() == (1,)


@pytest.mark.parametrize("open_index", [open_reader, open_writer])
def test_missing_folder_is_named(tmp_path: Path, open_index: object) -> None:
    """A folder that is not there is not made silently."""
    path = tmp_path / "nowhere" / "skald.db"

    with pytest.raises(StoreError, match="nowhere"):
        open_index(Settings(index=path))


def test_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """A path that cannot be opened says what to look at."""
    with pytest.raises(StoreError, match="does its folder exist, and may this user"):
        open_writer(Settings(index=tmp_path))


def test_reading_before_the_first_run_says_what_makes_an_index(tmp_path: Path) -> None:
    """There is nothing to read yet, and the message says what to run."""
    with pytest.raises(StoreError, match=r"no index at .* yet; `skald run`"):
        open_reader(Settings(index=tmp_path / "skald.db"))


def test_index_under_way_can_be_read(index: Index) -> None:
    """A reader sees what is committed, while the writer is in a transaction."""
    index.ingest(LINES[:HALF])
    seen = len(index.rows())
    with index.writer.transaction() as db:
        db.execute("delete from sessions")

        assert len(index.rows()) == seen > 10
        db.execute("rollback")
        db.execute("begin")


def test_damaged_index_says_so(index: Index) -> None:
    """A damaged file is said to be one, and is not written on."""
    index.ingest(LINES)
    index.close()
    content = bytearray(index.path.read_bytes())
    content[4096 * 3 : 4096 * 30] = b"\xff" * (4096 * 27)
    index.path.write_bytes(content)

    with pytest.raises(StoreError, match=r"damaged|malformed"):
        index.ingest(LINES)


def test_writer_needs_no_numpy(tmp_path: Path) -> None:
    """An indexer that derives no columns does not pay for numpy."""
    program = (
        "import sys; from pathlib import Path; from app.settings import Settings;"
        " from app.store import open_writer;"
        f" open_writer(Settings(index=Path({str(tmp_path / 'skald.db')!r}))).close();"
        " sys.exit('numpy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
