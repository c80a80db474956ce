"""Tell which strings nothing refers to any more, without keeping the writer waiting."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

import orjson

from app.store.connect import open_for_reading, snapshot
from app.store.marks import last_touch
from app.store.schema import REFERENCES

_LOOSE = 50_000  # strings looked at in one go through all tables
_OTHERS = 20_000  # and others with them, of which nobody noted that they are loose
_HOUR = 3_600_000  # ms


class Loose(NamedTuple):
    """Strings that deleted sessions referred to, as they were at some time.

    Attributes:
        strings: their numbers.
        used: which of them something else refers to.
        change: the number of the last change to sessions then.
    """

    strings: set[int]
    used: set[int]
    change: int


def find_loose(path: Path) -> Loose:
    """Go through all tables, which takes seconds, with a connection for reading.

    A session that goes on may need a string no longer that it had: an attribute with
    another value. To note that would cost every writing of it; so whenever tables are
    gone through, some strings more are looked at, wherever they are.
    """
    db = open_for_reading(path)
    try:
        with snapshot(db):
            found = db.execute("select string from loose limit ?", (_LOOSE,))
            strings = {row[0] for row in found}
            if strings:
                strings |= _others(db)
            used = _used(db, strings, "") if strings else set()
            return Loose(strings, used, last_touch(db))
    finally:
        db.close()


def _others(db: sqlite3.Connection) -> set[int]:
    """Return strings that follow each other, from anywhere on."""
    found = db.execute(
        "select id from strings where id >= (select abs(random() % max(1,"
        " coalesce(max(id), 0) - :most + 2)) from strings) order by id limit :most",
        {"most": _OTHERS},
    )
    return {row[0] for row in found}


def used_since(db: sqlite3.Connection, strings: set[int], change: int) -> set[int]:
    """Return which of *strings* the sessions refer to that changed after *change*."""
    hours = db.execute("select hour from touched where number > ?", (change,))
    return {
        string
        for (hour,) in hours.fetchall()
        for string in _used(
            db,
            strings,
            "{key} in (select id from sessions"
            f" where start >= {hour} and start < {hour + _HOUR}) and ",
        )
    }


def _used(db: sqlite3.Connection, strings: set[int], condition: str) -> set[int]:
    """Return which of *strings* rows refer to that meet a condition on their session."""
    wanted = orjson.dumps(list(strings)).decode()
    return {
        row[0]
        for table, columns in REFERENCES.items()
        for column in columns
        for row in db.execute(
            f"select distinct {column} from {table} where "
            + condition.format(key="id" if table == "sessions" else "session")
            + f"{column} in (select value from json_each(?))",
            (wanted,),
        )
    }
