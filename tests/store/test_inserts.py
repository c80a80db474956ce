"""Many rows are inserted by few statements."""

import sqlite3

import pytest

from app.store.inserts import MANY, ONE, insert


@pytest.mark.parametrize("sizes", [MANY, ONE])
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 63, 64, 65, 137])
def test_each_row_is_inserted_once_and_in_order(
    rows: int, sizes: tuple[int, ...]
) -> None:
    """However many there are, in statements of whatever size; NULL and bytes stay."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("create table kept (n integer primary key, said text, packed blob)")
    expected = [(n, None if n % 3 else f"row {n}", n.to_bytes(2)) for n in range(rows)]

    values: list[object] = [value for row in expected for value in row]
    insert(db, "insert into kept", 3, values, sizes)

    assert db.execute("select * from kept order by rowid").fetchall() == expected


def test_a_row_that_is_there_is_replaced_or_left() -> None:
    """The verb of the statement holds for each of its rows."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("create table kept (n integer primary key, value integer)")
    insert(db, "insert into kept", 2, [1, 10, 2, 20])

    insert(db, "insert or ignore into kept", 2, [2, 21, 3, 30])
    insert(db, "insert or replace into kept", 2, [1, 11, 3, 31])

    assert db.execute("select * from kept").fetchall() == [(1, 11), (2, 20), (3, 31)]
