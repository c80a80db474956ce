"""See to it that nothing of what was deleted is left in the file, or beside it."""

import sqlite3
from collections.abc import Iterator

from app.errors import StoreBusy
from app.store.writer import SqliteWriter


def scrub(writer: SqliteWriter, now: int, bounce: str) -> Iterator[float]:
    """Scrub the index; yield after each step how much is done, 0.5 to 1.

    1. Strings that nothing refers to, and free pages, go.
    2. Figures and columns of the hours that changed are made anew.
    3. Once, in an index of before SQLite overwrote what it deletes: all is written anew.
    4. The log of writes (``-wal``) is emptied.

    Raises:
        StoreBusy: a question under way still looks at what was before; try again.
    """
    while writer.tidy():
        yield 0.6
    while writer.roll_up(now, bounce):
        yield 0.7
    while writer.tidy():
        yield 0.8
    db = writer.db
    if db.execute("select 1 from privacy_unscrubbed").fetchone():
        _write_anew(db)
        with writer.transaction():
            db.execute("delete from privacy_unscrubbed")
        yield 0.9
    is_busy = db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    if is_busy:
        raise StoreBusy(
            "the data is erased, but a question under way still reads what was before;"
            " the rest is done as soon as it has ended"
        )


def _write_anew(db: sqlite3.Connection) -> None:
    """Write the file anew, which takes its size again in temporary files."""
    db.execute("pragma temp_store = file")
    try:
        db.execute("vacuum")
    finally:
        db.execute("pragma temp_store = memory")
