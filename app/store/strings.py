"""Keep every string once and refer to it by number."""

import sqlite3
from collections.abc import Iterable

import orjson

_REMEMBERED = 100_000  # strings; their numbers are looked up again when forgotten


class Strings:
    """Numbers of strings, for the one who writes.

    What it remembers may belong to a transaction that is rolled back: then ``forget``.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}

    def forget(self) -> None:
        """Trust nothing that was remembered."""
        self._ids.clear()

    def number(self, values: Iterable[str]) -> dict[str, int]:
        """Return the number of each of *values*, giving new ones where needed.

        The empty string has none. A lone surrogate, which UTF-8 cannot hold, is kept
        as a replacement character.
        """
        wanted = set(values)
        wanted.discard("")
        unknown = [value for value in wanted if value not in self._ids]
        if len(self._ids) + len(unknown) > _REMEMBERED:
            self._ids.clear()
            unknown = list(wanted)
        if unknown:
            self._learn(unknown)
        return self._ids

    def _learn(self, unknown: list[str]) -> None:
        kept = {value: safe(value) for value in unknown}
        self._connection.executemany(
            "insert into strings (value) values (?) on conflict do nothing",
            [(value,) for value in kept.values()],
        )
        rows = self._connection.execute(
            "select value, id from strings"
            " where value in (select value from json_each(?))",
            (orjson.dumps(list(kept.values())).decode(),),
        )
        found = dict(rows.fetchall())
        for value, stored in kept.items():
            self._ids[value] = found[stored]


def safe(value: str) -> str:
    """Return *value* as SQLite can hold and compare it: valid UTF-8, no NUL."""
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if value.isascii():
        return value
    return value.encode(errors="replace").decode()
