"""Keep every string once and refer to it by number."""

import sqlite3

_REMEMBERED = 100_000  # strings; their numbers are looked up again when forgotten


class Strings(dict[str, int | None]):
    """Numbers of strings, for the one who writes: asked for one, it gives it a number.

    The empty string has none: None. A lone surrogate, which UTF-8 cannot hold, is kept
    as a replacement character. What it remembers may belong to a transaction that is
    rolled back: then ``forget``.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered."""
        self.clear()
        self[""] = None

    def bound(self) -> None:
        """Forget everything when there is too much of it."""
        if len(self) > _REMEMBERED:
            self.forget()

    def __missing__(self, value: str) -> int:
        """Give *value* a number, or look up which it has."""
        ask, stored = self._connection.execute, (safe(value),)
        given = ask(
            "insert into strings (value) values (?) on conflict do nothing", stored
        )
        number = given.lastrowid if given.rowcount else None
        if number is None:
            found = ask("select id from strings where value = ?", stored)
            number = int(found.fetchone()[0])
        self[value] = number
        return number


def safe(value: str) -> str:
    """Return *value* as SQLite can hold and compare it: valid UTF-8, no NUL."""
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if value.isascii():
        return value
    return value.encode(errors="replace").decode()
