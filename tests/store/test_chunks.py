"""A column comes back as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.columns.chunks import (
    NULL,
    Column,
    Labels,
    Numbers,
    make_labels,
    make_numbers,
    narrowest,
)
from app.store.columns.joining import join
from app.store.columns.packing import (
    pack,
    pack_all,
    unpack,
    unpack_all,
    unpack_inner,
    unpack_runs,
)

INT = st.integers(-(1 << 61), 1 << 61) | st.integers(-300, 300) | st.just(NULL)
DECIMAL = st.floats(allow_nan=False) | st.integers(0, 9_999).map(lambda n: n / 100)
DECIMAL |= st.sampled_from((2.0**52, -(2.0**52), 0.0001))


def told(column: Column | None) -> list[float | None]:
    """Return what a column says, None for NULL."""
    assert column is not None
    if isinstance(column, Labels):
        return [each or None for each in column.ids[column.codes].tolist()]
    known = column.known
    values = column.values.tolist()
    if known is None:
        return values
    return [v if k else None for v, k in zip(values, known.tolist(), strict=True)]


@given(st.lists(INT), st.booleans())
def test_whole_numbers_come_back(values: list[int], is_sorted: bool) -> None:  # noqa: FBT001
    """Any of them, NULL as well, in any order."""
    values = sorted(values) if is_sorted else values
    column = make_numbers(np.array(values, np.int64))

    expected = [None if each == NULL else each for each in values]
    assert column is not None
    assert told(column) == expected
    assert told(unpack(pack(column))) == expected


@given(st.lists(INT, min_size=1), st.data())
def test_some_rows_come_back(values: list[int], data: st.DataObject) -> None:
    """As of the whole column, whether it ascends or not."""
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))
    for each in (values, sorted(values)):
        column = make_numbers(np.array(each, np.int64))
        assert column is not None

        found = unpack(pack(column), np.array(rows, np.int64))

        assert told(found) == [told(column)[row] for row in rows]


@given(st.lists(st.integers(0, 70_000) | st.integers(0, 9), min_size=1))
def test_runs_of_what_ascends_come_back(values: list[int]) -> None:
    """The distinct numbers, where each begins, and which is that before it."""
    values = sorted(values)
    data = pack(Numbers(np.array(values, narrowest(max(values)))))

    owners, begins = unpack_runs(data)

    assert owners.tolist() == sorted(set(values))
    assert begins.tolist() == [*map(values.index, owners.tolist()), len(values)]
    inner = [at > values.index(each) for at, each in enumerate(values)]
    assert unpack_inner(data).tolist() == inner


@given(st.lists(st.lists(st.integers(-300, 300)), max_size=4))
def test_columns_come_back_together(columns: list[list[int]]) -> None:
    """In their order."""
    made = [Numbers(np.array(each, np.int64) + 300, -300) for each in columns]

    assert list(map(told, unpack_all(pack_all(made)))) == list(map(told, made))


@given(st.lists(DECIMAL | st.none()))
def test_decimals_come_back(values: list[float | None]) -> None:
    """To the last bit, also those that no scale fits."""
    column = make_numbers(np.array(values, np.float64))

    assert column is not None
    assert told(column) == values
    assert told(unpack(pack(column))) == values


@given(st.lists(st.floats(0.01, 0.011) | st.none(), min_size=1, max_size=4))
def test_decimals_that_repeat_come_back(values: list[float | None]) -> None:
    """As places in a list, also some of them, and those of several hours together."""
    many = values * 9
    column = make_numbers(np.array(many, np.float64))
    again = unpack(pack(column)) if column else None

    assert isinstance(column, Numbers)
    assert isinstance(again, Numbers)
    assert column.table is not None or column.scale
    assert told(again) == many
    assert told(again.cut(np.arange(len(many))[::-1])) == many[::-1]
    assert told(join([again, column])) == many * 2


@given(st.lists(st.integers(1, 1 << 62) | st.integers(1, 9) | st.just(NULL)))
def test_labels_come_back(values: list[int]) -> None:
    """Any numbers of strings."""
    column = make_labels(np.array(values, np.int64))

    expected = [None if each == NULL else each for each in values]
    assert told(column) == expected
    assert told(unpack(pack(column))) == expected


PARTS = st.lists(st.lists(st.integers(0, 999) | st.just(NULL)), min_size=1)


@given(PARTS, st.booleans())
def test_joined_columns_are_their_rows(parts: list[list[int]], is_label: bool) -> None:  # noqa: FBT001
    """One after the other, whatever each was stored like."""
    make = make_labels if is_label else make_numbers
    columns = [make(np.array(each, np.int64)) for each in parts]

    nothing = {NULL, 0} if is_label else {NULL}
    expected = [None if each in nothing else each for part in parts for each in part]
    assert told(join([each for each in columns if each is not None])) == expected


@given(st.lists(st.lists(DECIMAL | st.none()), min_size=1))
def test_joined_decimals_are_their_rows(parts: list[list[float | None]]) -> None:
    """To the last bit, whatever scale each part has."""
    columns = [make_numbers(np.array(each, np.float64)) for each in parts]

    expected = [each for part in parts for each in part]
    assert told(join([each for each in columns if each is not None])) == expected


def test_numbers_too_far_apart_make_no_column() -> None:
    """Their distance is in no 64 bits; such a column is left to the tables."""
    assert make_numbers(np.array([-(1 << 62), 1 << 62], np.int64)) is None


@pytest.mark.parametrize("rows", [1, 70_000])
def test_column_that_says_one_thing_takes_no_room(rows: int) -> None:
    """Most columns say nothing of most sessions."""
    column = make_numbers(np.full(rows, 7))

    assert column is not None
    assert len(pack(column)) < 40
    assert unpack(pack(column)).nbytes <= rows
