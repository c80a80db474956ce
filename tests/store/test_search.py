"""Searching gives every session once, in the order asked for, a page at a time."""

from dataclasses import replace
from typing import Any

import pytest

from app.catalog.fields import STATUSES
from app.errors import BadRequest
from app.sessionql.plan import Compare
from app.store.reader import LISTED
from app.store.seam import Progress, Reader, Search
from tests.driver import decode, pages_of
from tests.store.engines import Engine
from tests.store.plain import Known
from tests.store.town import END, WINDOW, fill, lines, town


@pytest.fixture(scope="module")
def both(shared: Engine) -> tuple[Reader, list[Known]]:
    """Return the engine, filled, and the same sessions in a list."""
    fill(shared)
    reader = shared.reader()
    return reader, town(reader)


def ordered(values: list[Any]) -> list[Any]:
    """Return values in the order of a search: what is not said comes first."""
    low = "" if any(isinstance(value, str) for value in values) else float("-inf")
    return sorted(values, key=lambda value: low if value is None else value)


@pytest.mark.parametrize("descending", [True, False], ids=["down", "up"])
@pytest.mark.parametrize("sort", LISTED)
def test_every_session_comes_once_in_order(
    both: tuple[Reader, list[Known]], sort: str, *, descending: bool
) -> None:
    """Whatever the column, page after page gives each session once, sorted."""
    reader, sessions = both
    asked = Search(WINDOW, sort=sort, descending=descending, limit=7)
    rows = list(pages_of(reader, asked))
    values = [row[sort] for row in rows]
    if sort == "status":  # by severity
        values = [STATUSES.index(value) for value in values]

    assert sorted(row["id"] for row in rows) == sorted(k.facts["id"] for k in sessions)
    assert (values[::-1] if descending else values) == ordered(values)


def test_total_counts_all_pages(both: tuple[Reader, list[Known]]) -> None:
    """The total is of everything that was found, on every page."""
    reader, sessions = both
    asked = Search(WINDOW, Compare("device", "=", ("mobile",)), limit=3)
    first = reader.search(asked)
    second = reader.search(replace(asked, cursor=first.next_cursor or ""))
    true = sum(known.facts["device"] == "mobile" for known in sessions)

    assert first.total == second.total == true
    assert len(first.items) == len(second.items) == 3


def test_row_tells_what_the_session_is(both: tuple[Reader, list[Known]]) -> None:
    """Every column of every row is what the session says."""
    reader, sessions = both
    rows = {row["id"]: row for row in pages_of(reader, Search(WINDOW, limit=100))}
    wrong = [
        (known.facts["id"], name, rows[known.facts["id"]][name], value)
        for known in sessions
        for name, value in known.facts.items()
        if (rows[known.facts["id"]][name] or None) != (value or None)
    ]

    assert wrong == []


def test_window_is_half_open(both: tuple[Reader, list[Known]]) -> None:
    """A session that begins at the end of the range is not of it."""
    reader, sessions = both
    starts = sorted(known.facts["start"] for known in sessions)
    window = replace(WINDOW, start=starts[10], end=starts[20])
    expected = [at for at in starts if starts[10] <= at < starts[20]]

    assert reader.search(Search(window)).total == len(expected)


def test_paging_survives_what_is_written_meanwhile(engine: Engine) -> None:
    """Sessions that come while one pages are no reason to show another twice."""
    told = lines()[0]
    writer = engine.writer()
    writer.ingest("faro", decode(told[: len(told) // 2]), Progress(1))
    reader = engine.reader()
    asked = Search(WINDOW, sort="start", descending=False, limit=5)
    first = reader.search(asked)
    before = {row["id"] for row in pages_of(reader, replace(asked, limit=500))}

    writer.ingest("faro", decode(told[len(told) // 2 :]), Progress(END))
    rest = list(pages_of(reader, replace(asked, cursor=first.next_cursor or "")))

    shown = [row["id"] for row in (*first.items, *rest)]
    assert len(shown) == len(set(shown))
    assert before <= set(shown)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "AAAA",
        "WzFd",
        "bnVsbA",
        "WyJzdGFydCIsdHJ1ZSxudWxsLDFd",
        "é",
        "=" * 9,
        "A" * 5,
    ],
)
def test_foreign_cursor_is_refused(
    both: tuple[Reader, list[Known]], cursor: str
) -> None:
    """A cursor that is none of ours is said to be so."""
    with pytest.raises(BadRequest, match="cursor"):
        both[0].search(Search(WINDOW, cursor=cursor))


def test_cursor_of_another_order_is_refused(both: tuple[Reader, list[Known]]) -> None:
    """A cursor goes with its question's order."""
    reader, _ = both
    cursor = reader.search(Search(WINDOW, limit=2)).next_cursor or ""

    with pytest.raises(BadRequest, match="another order"):
        reader.search(Search(WINDOW, sort="views", cursor=cursor))


def test_unknown_column_is_refused_with_those_there_are(
    both: tuple[Reader, list[Known]],
) -> None:
    """What cannot be sorted by is named, beside what can."""
    with pytest.raises(BadRequest, match=r"cannot sort by 'page'.*start"):
        both[0].search(Search(WINDOW, sort="page"))
