"""Tell what an index holds, apart from how it numbers it: equal indexes, equal dumps."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from app.store.journal import Codec
from app.store.schema import CHILDREN

Rows = list[tuple[Any, ...]]
_COUNTERS = ("entries", "bytes", "decoded", "dropped")
_STRINGS = {
    "sessions": (
        "app", "environment", "version", "browser", "browser_version", "os", "device",
        "country", "language", "referrer", "entry", "exit", "user", "user_name",
        "previous", "city", "connection",
    ),
    "views": ("page", "title"),
    "actions": ("name", "page"),
    "errors": ("type", "message", "fingerprint", "page"),
    "activity": (),
    "users": ("user",),
    "attributes": ("name", "value"),
    "traces": ("name", "user"),
    "usage": ("model",),
    "tags": ("tag",),
    "scores": ("name", "text"),
}  # fmt: skip


def dump(path: Path, *, counters: bool = True) -> dict[str, Rows]:
    """Read every table; numbers of rows and strings are replaced by what they mean.

    Args:
        path: of the index.
        counters: also how many lines were read, which counts what was read twice.
    """
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        strings = {None: None, **dict(map(tuple, db.execute("select * from strings")))}
        sources = dict(map(tuple, db.execute("select id, name from sources")))
        keys = {
            row["id"]: (sources[row["source"]], strings[row["app"]], row["sid"])
            for row in db.execute("select * from sessions")
        }
        tables = {"sessions": _sessions(db, strings, keys)}
        for table in CHILDREN:
            tables[table] = _children(db, table, strings, keys)
        tables["journals"] = _journals(db, keys)
        tables["seconds"] = [
            (sources[row["source"]], row["second"], row["entries"])
            for row in db.execute("select * from seconds order by source, second")
            if row["entries"]
        ]
        tables["sources"] = _sources(db, counters=counters)
        assert db.execute("pragma integrity_check").fetchone()[0] == "ok"
    return tables


def _sessions(db: sqlite3.Connection, strings: Any, keys: Any) -> Rows:
    found = [
        (
            keys[row["id"]],
            *(
                strings[row[name]] if name in _STRINGS["sessions"] else row[name]
                for name in row.keys()  # noqa: SIM118 - a Row iterates over its values
                if name not in {"id", "source"}
            ),
        )
        for row in db.execute("select * from sessions")
    ]
    return sorted(found)


def _children(db: sqlite3.Connection, table: str, strings: Any, keys: Any) -> Rows:
    found = [
        (
            keys[row["session"]],
            *(
                strings[row[name]] if name in _STRINGS[table] else row[name]
                for name in row.keys()  # noqa: SIM118 - a Row iterates over its values
                if name != "session"
            ),
        )
        for row in db.execute(f"select * from {table}")  # noqa: S608 - of our own
    ]
    return sorted(found, key=repr)


def _journals(db: sqlite3.Connection, keys: Any) -> Rows:
    unpack = Codec().unpack
    found: Rows = []
    for row in db.execute("select * from journals"):
        journal = unpack(row["data"])
        events = sorted(journal.events, key=lambda event: event.key)
        contexts = sorted(journal.contexts.items())
        found.append((keys[row["session"]], repr(events), repr(contexts)))
    return sorted(found)


def _sources(db: sqlite3.Connection, *, counters: bool) -> Rows:
    names = ("tenant", "name", "cursor", *(_COUNTERS if counters else ()))
    found = [
        tuple(
            tuple(sorted(orjson.loads(row[name]).items()))
            if name == "dropped"
            else row[name]
            for name in names
        )
        for row in db.execute("select * from sources")
    ]
    return sorted(found)
