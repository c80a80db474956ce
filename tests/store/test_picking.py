"""Some rows of columns are what they are among all rows."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.columns.chunks import make_labels, make_numbers
from app.store.columns.packing import pack
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.picking import pick

COLUMNS = {
    "start": np.arange(0, 300_000, 1_000) + 7_000_000,
    "duration": np.arange(300) * 7_919 % 100_003,
    "views": np.arange(300) % 7,
    "errors": np.zeros(300, np.int64),
    "crashes": np.zeros(300, np.int64),
    "traces": np.full(300, 3),
}


@pytest.fixture(scope="module")
def db() -> sqlite3.Connection:
    """Return what holds the columns of one row group."""
    found = sqlite3.connect(":memory:")
    found.execute("create table column_chunks (row_group, name, data)")
    for name, values in COLUMNS.items():
        column = make_numbers(values.astype(np.int64))
        assert column is not None
        held = (1, f"sessions.{name}", pack(column))
        found.execute("insert into column_chunks values (?, ?, ?)", held)
    users = (1, "sessions.user", pack(make_labels(np.arange(300) % 5)))
    found.execute("insert into column_chunks values (?, ?, ?)", users)
    return found


@given(
    first=st.integers(0, 290),
    rows=st.sets(st.integers(0, 299), max_size=300),
    names=st.sets(st.sampled_from(sorted(COLUMNS)), min_size=1),
)
def test_rows_are_picked(
    db: sqlite3.Connection, first: int, rows: set[int], names: set[str]
) -> None:
    """Few or many, of a whole row group or the end of one, also of what is 0."""
    part = Part(db, 1, (0, 1), slice(first, 300), is_whole=not first)
    some = np.array(sorted(row for row in rows if row < 300 - first), np.int64)

    found = pick(part, names, some)

    assert {name: each.whole.tolist() for name, each in found.items()} == {
        name: COLUMNS[name][first:][some].tolist() for name in names
    }


@pytest.mark.parametrize("name", ["user", "cost"])
def test_what_is_no_column_of_numbers_is_refused(
    db: sqlite3.Connection, name: str
) -> None:
    """One of labels, and one that is not there."""
    part = Part(db, 1, (0, 1), slice(0, 300), is_whole=True)

    with pytest.raises(NotInColumns):
        pick(part, ["views", name], np.arange(3))
