"""Columns answer as the tables do."""

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from app.catalog.fields import FIELDS
from app.demo.world import World
from app.model import Entry
from app.sessionql.filters import And, Compare, Filter, Not, Or, gather
from app.sessionql.plan import Leaf, Window
from app.store.columns import answering, build, few, keeping
from app.store.columns.answer import answer, answer_all
from app.store.columns.cache import ColumnCache
from app.store.columns.chunks import Numbers
from app.store.columns.few import find_chosen
from app.store.connect import snapshot
from app.store.reader import SqliteReader
from app.store.sql import BOUNCES
from tests.build import DAY, HOUR, MINUTE, log, page_load
from tests.driver import Index

BEGIN = DAY  # a midnight, so that the world has whole days
LENGTH = 30 * HOUR
LATER = BEGIN + 3 * 24 * HOUR
QUESTIONS = 400
_LABELS = (
    "app", "source", "environment", "version", "browser", "os", "entry", "exit", "status",
    "user", "previous", "country",
)  # fmt: skip
_NUMBERS = tuple(
    name
    for name, field in FIELDS.items()
    if field.scope == "session" and field.type != "string"
)
_STEPS = (0, 0, HOUR, 6 * HOUR, 24 * HOUR, 17 * MINUTE, 90_001, 2_011)


@pytest.fixture(scope="module", params=["clean", "dirty", "late", "divided"])
def held(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Index]:
    """An index of a day and some hours: read, partly read, or changed since.

    Of one, a day is several row groups, which are made anew for what came late.
    """
    if request.param == "divided":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "MAX_JOINED", 150)
            yield from _held(request.param, tmp_path_factory)
    else:
        yield from _held(request.param, tmp_path_factory)


def _held(how: str, folders: pytest.TempPathFactory) -> Iterator[Index]:
    index = Index(folders.mktemp("columns") / "skald.db")
    lines = list(
        World(11, sessions_per_hour=40, dialect="otel").history(BEGIN, BEGIN + LENGTH)
    )
    late = [each for each in lines if _hour(each) in {4, 15}][::7]
    index.ingest(each for each in lines if each not in late)
    is_whole = how in {"clean", "divided"}
    roll_up(index, LATER if is_whole else BEGIN + 27 * HOUR)
    index.ingest(late)
    if how != "dirty":
        for _ in range(100 if is_whole else 12):
            index.writer.roll_up(LATER, "single_view")
    yield index
    index.close()


def _hour(entry: Entry) -> int:
    return (entry.ts // 1_000_000 - BEGIN) // HOUR


def roll_up(index: Index, now: int = LATER) -> int:
    """Read all that changed; return how many steps that took."""
    done = 0
    while index.writer.roll_up(now, "single_view"):
        done += 1
    return done


def test_columns_answer_as_tables_do(held: Index) -> None:
    """Any question about sessions, whatever was read and whatever changed since."""
    dice = random.Random(5)
    answered = 0
    for _ in range(QUESTIONS):
        bounce = dice.choice(list(BOUNCES))
        reader = SqliteReader(held.path, "default", bounce=bounce)
        window = random_window(dice)
        leaf = random_leaf(dice, reader)
        got = answer(reader._db, leaf, window, reader._statement(window.now))
        if got is not None:
            answered += 1
            assert told(got) == told(reader._scan(leaf, window)), (leaf, window, bounce)
        reader.close()

    assert answered > QUESTIONS / 2


@pytest.mark.parametrize("most", [answering.MOST_HELD, 1])
def test_figures_looked_at_together_are_what_they_are_alone(
    held: Index, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any filters and labels; those that hold too much are left for later."""
    monkeypatch.setattr(answering, "MOST_HELD", most)
    monkeypatch.setattr(answering, "MOST_OF_ALL", most)
    dice = random.Random(8)
    reader = SqliteReader(held.path, "default")
    answered = 0
    for _ in range(QUESTIONS // 10):
        window = random_window(dice)
        leaves = [random_leaf(dice, reader) for _ in range(4)]
        leaves += [replace(dice.choice(leaves), by=leaves[0].by) for _ in range(2)]
        leaves += [replace(each, selector=leaves[0].selector) for each in leaves[:3]]
        asked = reader._statement(window.now)
        found = answer_all(reader._db, leaves, window, asked)
        answered += len(found)
        for leaf, cells in found.items():
            alone = answer(reader._db, leaf, window, asked)
            assert alone is not None
            assert told(cells) == told(alone), (leaf, window)
    reader.close()

    assert answered > QUESTIONS / 10


def test_few_sessions_are_found_by_an_index(held: Index) -> None:
    """Of a user, by id or as shown, or with an error: whatever else is asked of them."""
    dice = random.Random(6)
    reader = SqliteReader(held.path, "default")
    whole = Window(0, LATER, 0, LATER)
    rare = [
        Compare(name, "=", (value,))
        for name in ("user", "user_name", "error", "fingerprint", "page")
        for value, count in reader.values(name, whole, And(), 99)
        if count < few.AT_LEAST
    ]
    rare += [Compare("user", "=", each.values) for each in rare]  # as shown, or nobody
    found = 0
    for _ in range(QUESTIONS // 2):
        window, leaf = random_window(dice), random_leaf(dice, reader)
        leaf = replace(leaf, selector=And((dice.choice(rare), leaf.selector)))
        asked = reader._statement(window.now)
        got = answer(reader._db, leaf, window, asked)
        if got is not None:
            assert told(got) == told(reader._scan(leaf, window)), (leaf, window)
            with snapshot(reader._db):
                parts = find_chosen(
                    reader._db,
                    gather(leaf.selector),
                    (window.start, window.end),
                    DAY,
                    {},
                )
            found += all(part.among for part in parts)
    reader.close()

    assert found > QUESTIONS / 10


def told(
    cells: list[tuple[tuple[str, ...], int, float | None]],
) -> dict[object, object]:
    """Make answers comparable: as precise as sums can be."""
    return {
        (labels, bucket): None if value is None else float(f"{value:.9g}")
        for labels, bucket, value in cells
    }


def random_window(dice: random.Random) -> Window:
    """Return a range with ragged ends, whole or in buckets."""
    start = BEGIN + dice.randint(-HOUR, 9 * HOUR)
    end = BEGIN + LENGTH - dice.randint(-HOUR, 9 * HOUR)
    step = dice.choice(_STEPS)
    return Window(start, end, step, BEGIN + dice.randint(0, LENGTH))


def random_leaf(dice: random.Random, reader: SqliteReader) -> Leaf:
    """Return any question about sessions."""
    number = dice.choice(_NUMBERS)
    points = tuple(sorted(dice.sample((0.0, 0.25, 0.5, 0.95, 1.0), dice.randint(1, 2))))
    leaf = dice.choice(
        (
            Leaf("count"),
            Leaf("active"),
            Leaf("sum", number),
            Leaf("avg", number),
            Leaf("min", number),
            Leaf("max", number),
            Leaf("quantile", number, points=points),
            Leaf("histogram", number, points=(0.0, 2.0, 60_000.0)),
            Leaf("distinct", dice.choice(_LABELS)),
            Leaf("share", where=random_filter(dice, reader, 1)),
        )
    )
    by = tuple(dice.sample(_LABELS, dice.choice((0, 0, 1, 2))))
    return replace(leaf, selector=random_filter(dice, reader, 2), by=by)


def random_filter(dice: random.Random, reader: SqliteReader, depth: int) -> Filter:
    """Return a condition that some sessions meet."""
    roll = dice.random()
    if depth and roll < 0.5:
        parts = tuple(
            random_filter(dice, reader, depth - 1) for _ in range(dice.randint(0, 3))
        )
        if not parts:
            return And()
        return dice.choice((And(parts), Or(parts), Not(parts[0])))
    if roll < 0.75:
        return random_text(dice, reader)
    number = dice.choice(_NUMBERS)
    op = dice.choice(("=", "!=", "<", "<=", ">", ">="))
    if op in {"=", "!="} and dice.random() < 0.2:
        return Compare(number, op, (None,))
    known = (0, 1, 2, 2.5, -3, 60_000, 1e300, BEGIN + 12 * HOUR, True)
    values = tuple(dice.sample(known, 2 if op in {"=", "!="} else 1))
    return Compare(number, op, values)


def random_text(dice: random.Random, reader: SqliteReader) -> Compare:
    """Return a comparison of a text, of one that is there mostly."""
    name = dice.choice((*_LABELS, "user_name", "page", "action", "error"))
    op = dice.choice(("=", "!=", "=~", "!~", "<", ">="))
    if "~" in op:
        return Compare(name, op, (dice.choice((".*[aeiou].*", "C.*", "", "x?")),))
    whole = Window(0, LATER, 0, LATER)
    known = [value for value, _ in reader.values(name, whole, And(), 9)]
    some = dice.sample([*known, "none", None, ""], 2 if op in {"=", "!="} else 1)
    return Compare(name, op, tuple(some))


def test_every_field_of_sessions_is_a_column(index: Index) -> None:
    """What the catalog adds is answered from columns too."""
    whole = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    index.ingest(page_load("s1", at="10:10:00", user_id="u1"))
    roll_up(index)
    reader = SqliteReader(index.path, "default")
    for name, field in FIELDS.items():
        leaf = Leaf("count", by=(name,)) if field.groups else Leaf("sum", name)
        if field.scope == "session" and (field.groups or field.type != "string"):
            assert answer(reader._db, leaf, whole, reader._statement(LATER)), name


def test_label_that_is_named_twice_is_told_twice(index: Index) -> None:
    """As the tables tell it."""
    whole = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    index.ingest(page_load("s1", at="10:10:00"))
    roll_up(index)

    found = cells(index, Leaf("count", by=("app", "app")), whole)
    assert found == [(("shop", "shop"), BEGIN, 1)]


def test_late_session_counts_at_once(index: Index) -> None:
    """A new session, an earlier one of its user and a deleted one: all are noticed."""
    whole = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    count = Leaf("count", selector=Compare("returning", "=", (True,)))
    index.ingest(page_load("s1", at="10:10:00", user_id="u1"))
    roll_up(index)
    assert cells(index, count, whole) == []

    index.ingest(page_load("s0", at="03:10:00", user_id="u1"))
    assert cells(index, count, whole) == [((), BEGIN, 1)]
    roll_up(index)
    assert cells(index, count, whole) == [((), BEGIN, 1)]

    index.writer.expire(BEGIN + 8 * HOUR)
    assert cells(index, count, whole) == []
    roll_up(index)
    assert cells(index, count, whole) == []


def test_row_groups_go_with_their_sessions(index: Index) -> None:
    """A day is one row group once it is over, and none when its sessions are gone."""
    index.ingest(page_load("s1", at="10:10:00") + page_load("s2", at="15:10:00"))
    roll_up(index, BEGIN + 20 * HOUR)
    assert row_groups(index) == {(0, BEGIN + 10 * HOUR), (0, BEGIN + 15 * HOUR)}
    roll_up(index)
    assert row_groups(index) == {(1, BEGIN)}

    index.writer.expire(BEGIN + 24 * HOUR)
    roll_up(index)
    assert row_groups(index) == set()
    held = index.reader._db.execute("select count(*) from column_chunks")
    assert held.fetchone() == (0,)


def test_what_row_groups_give_goes_with_them(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept of what one definition of bounce says, and not where it is too much."""
    monkeypatch.setattr(keeping, "LEAST", 1)
    monkeypatch.setattr(keeping, "MAX_SHARE", 9)
    index.ingest(page_load("s1", at="10:10:00"))
    roll_up(index)
    assert kept(index) == {"kept/places/single_view": True, "kept/ways": True}

    while index.writer.roll_up(LATER, "ga4"):
        pass
    assert kept(index) == {"kept/places/ga4": True, "kept/ways": True}

    monkeypatch.setattr(keeping, "MAX_SETS", 0)
    index.ingest(page_load("s2", at="10:20:00"))
    roll_up(index)
    assert kept(index) == {"kept/places/single_view": False, "kept/ways": False}

    index.writer.expire(BEGIN + 24 * HOUR)
    roll_up(index)
    assert kept(index) == {}


def kept(index: Index) -> dict[str, bool]:
    """Return what is kept beside columns, and whether it says anything."""
    return {
        name: bool(data)
        for name, data in index.reader._db.execute(
            "select name, data from column_chunks where name like 'kept/%'"
        )
    }


def test_day_of_many_sessions_is_several_row_groups(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So few hours are in each that it is small, and no hour is in two of them."""
    monkeypatch.setattr(build, "MAX_JOINED", 2)
    hours = ("02", "05", "10", "15", "16")
    index.ingest(e for at in hours for e in page_load(f"s{at}", at=f"{at}:10:00"))
    roll_up(index)
    groups = {(1, BEGIN), (1, BEGIN + 10 * HOUR), (1, BEGIN + 16 * HOUR)}
    assert row_groups(index) == groups

    index.ingest(page_load("late", at="03:10:00"))
    roll_up(index)
    assert row_groups(index) == {(1, BEGIN + hour * HOUR) for hour in (0, 5, 15)}
    for end, count in ((5, 2), (10, 3), (11, 4), (15, 4), (16, 5), (24, 6)):
        window = Window(BEGIN, BEGIN + end * HOUR, 0, LATER)
        assert cells(index, Leaf("count"), window) == [((), BEGIN, count)]


def test_failed_step_leaves_what_was(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that ends anywhere within has never been: the hour stays to be read."""
    whole = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    index.ingest(page_load("s1", at="10:10:00"))
    roll_up(index)
    index.ingest(page_load("s2", at="10:20:00"))
    before = row_groups(index)

    def fail(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(build, "_write", fail)
    with pytest.raises(OSError, match="no room"):
        roll_up(index)
    assert row_groups(index) == before
    assert cells(index, Leaf("count"), whole) == [((), BEGIN, 2)]


def test_session_of_long_ago_is_active_still(index: Index) -> None:
    """Who began before the window, and who is over before it begins."""
    index.ingest(
        page_load("s1", at="09:58:00")
        + log("s1", at="10:01:30", message="still here")
        + page_load("s2", at="10:01:10")
        + page_load("s3", at="23:58:00")
    )
    roll_up(index)
    start = BEGIN + 10 * HOUR + 90_000
    window = Window(start, BEGIN + 20 * HOUR, 0, LATER)

    assert cells(index, Leaf("active"), window) == [((), start, 1)]


def test_cache_holds_no_more_than_it_may() -> None:
    """Columns used last stay; one that is too large for it is never held."""
    cache = ColumnCache(100)
    columns = [Numbers(np.zeros(size, np.uint8)) for size in (40, 40, 40, 101)]
    for number, column in enumerate(columns):
        cache.put((number, "start"), column)
        cache.get((0, "start"))

    held = [number for number in range(4) if cache.get((number, "start"))]
    assert held == [0, 2]
    assert cache.nbytes == 80
    cache.bound(0)
    cache.put((5, "start"), columns[0])
    assert cache.nbytes <= 80


def cells(
    index: Index, leaf: Leaf, window: Window
) -> list[tuple[tuple[str, ...], int, float | None]]:
    """Return what columns answer, or the tables when they do not."""
    reader = index.reader
    assert isinstance(reader, SqliteReader)
    found = answer(reader._db, leaf, window, reader._statement(window.now))
    return reader._scan(leaf, window) if found is None else found


def row_groups(index: Index) -> set[tuple[int, int]]:
    """Return level and begin of the row groups."""
    reader = index.reader
    assert isinstance(reader, SqliteReader)
    return set(reader._db.execute("select level, bucket from row_groups"))
