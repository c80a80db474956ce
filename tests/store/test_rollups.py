"""Rollups answer as the sessions do."""

import random
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.world import World
from app.errors import BadRequest
from app.sessionql.filters import And, Any, Compare, Filter
from app.sessionql.plan import Leaf, Window
from app.store.leaf_reader import WITHIN
from app.store.reader import SqliteReader
from app.store.rollups import answer as rollup_answers
from app.store.rollups.answer import Rolled
from app.store.rollups.build import MAX_VALUES
from app.store.rollups.edges import Place
from app.store.rollups.shapes import (
    ERROR,
    ZERO,
    Entries,
    buckets_of,
    quantiles_of,
    values_of,
)
from app.store.rollups.tables import LEVELS, bucket_of_key, key_of
from app.store.seam import Progress
from tests.build import DAY, HOUR, page_load
from tests.corpus.worlds import index_of
from tests.driver import Index, decode
from tests.store.engines import Sqlite

BEGIN = DAY  # a midnight, so that the world has whole days
LENGTH = 30 * HOUR
LATER = BEGIN + 3 * 24 * HOUR
QUESTIONS = 500
_DIMENSIONS = (
    "browser",
    "version",
    "page",
    "entry",
    "device",
    "language",
    "exit",
    "os",
)
_PATTERN = ".*[aeiou]"


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of a day and some hours, rolled up."""
    index = Index(tmp_path_factory.mktemp("rollups") / "skald.db")
    world = World(11, sessions_per_hour=40, dialect="otel")
    index.ingest(world.history(BEGIN, BEGIN + LENGTH))
    roll_up(index)
    yield index
    index.close()


def nothing(_leaf: Leaf, _window: Window) -> None:
    """Know nothing from columns: the ends of a range are read from the tables."""


def roll_up(index: Index, now: int = LATER) -> int:
    """Recompute all that changed; return how many hours and days that were."""
    done = 0
    while index.writer.roll_up(now, "single_view"):
        done += 1
    return done


def readers(index: Index) -> tuple[SqliteReader, SqliteReader]:
    """Return a reader that uses rollups, and one that does not."""
    return (
        SqliteReader(index.path, "default"),
        SqliteReader(index.path, "default", exact=True),
    )


def rolled_up(
    ours: SqliteReader, leaf: Leaf, window: Window, dice: random.Random
) -> Rolled | None:
    """Answer by rollups; the ends of the range from columns, or from the tables."""
    return rollup_answers.answer(
        ours._db,
        leaf,
        window,
        lambda: ours._statement(window.now),
        *dice.choice([(ours._rest, ours._values), (ours._scan, nothing)]),
    )


def test_rollups_answer_as_sessions_do(rolled: Index) -> None:
    """Exact where it is claimed; a quantile within the stated bound."""
    ours, exact = readers(rolled)
    dice = random.Random(7)
    answered = 0
    for _ in range(QUESTIONS):
        leaf, window = random_leaf(dice, exact), random_window(dice)
        got = rolled_up(ours, leaf, window, dice)
        if got is None:
            continue
        answered += 1
        found = {(labels, bucket): value for labels, bucket, value in got.cells}
        for labels, bucket, true in exact.evaluate(leaf, window):
            value = found.pop((labels, bucket), None)
            assert agrees(leaf, value, true), (leaf, window, labels, value, true)
        assert not has_more(leaf, found), (leaf, window, found)

    assert answered > QUESTIONS / 3


@pytest.mark.parametrize("by", [(), ("app",), ("page",)])
@pytest.mark.parametrize("function", ["sum", "avg"])
def test_views_are_of_the_sessions_that_a_page_chooses(
    rolled: Index, function: str, by: tuple[str, ...]
) -> None:
    """A filter chooses sessions, and leaves their views as they are; by page they are its."""
    ours, exact = readers(rolled)
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    [(page, _)] = exact.values("page", window, And(), 1)
    chosen = Any("view", Compare("page", "=", (page,)))
    leaf = Leaf(function, "views", selector=chosen, by=by)

    assert sorted(ours.evaluate(leaf, window)) == sorted(exact.evaluate(leaf, window))


def agrees(leaf: Leaf, value: float | None, true: float | None) -> bool:
    """Compare; a quantile may be off by the bound that its answer states."""
    if leaf.function == "quantile" and value is not None and true is not None:
        return value == pytest.approx(true, rel=ERROR * 1.001)
    if value is None or true is None:  # of a sum, nothing is 0; of a mean, it is not
        return value == true or (leaf.function != "avg" and not value and not true)
    return value == pytest.approx(true, rel=1e-9)


def has_more(leaf: Leaf, found: dict[Place, float | None]) -> bool:
    """Tell whether labels are told of which there is nothing; 0 of sessions is no harm."""
    is_of_labels = leaf.is_of_events and leaf.by
    return bool(found) if is_of_labels else any(found.values())


@pytest.mark.parametrize("name", ["langfuse", "openobserve"])
def test_rollups_answer_as_told_sessions_do(name: str, tmp_path: Path) -> None:
    """Cost and tokens by model, latency of traces, dwell; whole and hour by hour."""
    index = index_of(name, tmp_path)
    ours, exact = readers(index)
    first, last = ours._db.execute(
        "select min(start), max(start) from sessions"
    ).fetchone()
    while index.writer.roll_up(last + 3 * DAY, "single_view"):
        pass
    covered = 0
    for leaf in told_leaves():
        for window in (
            Window(first - HOUR, last + HOUR, 0, last),
            Window(first // HOUR * HOUR, last // HOUR * HOUR + HOUR, HOUR, last),
            Window(first + HOUR // 2, last - HOUR // 2, 0, last),
        ):
            got = rollup_answers.answer(
                ours._db,
                leaf,
                window,
                lambda: ours._statement(last),
                ours._rest,
                ours._values,
            )
            if got is None:
                continue
            covered += any(value for *_, value in got.cells)
            found = {(labels, bucket): value for labels, bucket, value in got.cells}
            for labels, bucket, true in exact.evaluate(leaf, window):
                value = found.pop((labels, bucket), None)
                assert agrees(leaf, value, true), (leaf, window, labels, value, true)
            assert not has_more(leaf, found), (leaf, window, found)
    index.close()

    assert covered > (40 if name == "langfuse" else 15)


def told_leaves() -> Iterator[Leaf]:
    """Yield questions that sources beside Faro are asked."""
    filters: list[Filter] = [
        And(),
        Any("usage", Compare("model", "=~", ("g.*|claude.*",))),
        Compare("version", "!=", ("",)),
    ]
    for selector in filters:
        for by in ((), ("app",), ("model",), ("version",), ("page",)):
            for name in ("model_cost", "model_tokens", "model_calls", "cost", "traces"):
                if by != ("page",):
                    yield Leaf("sum", name, selector=selector, by=by)
            if by not in {("model",), ("page",)}:  # no event has both
                yield Leaf("quantile", "latency", (0.95,), selector=selector, by=by)
            if by != ("model",):
                yield Leaf("avg", "dwell", selector=selector, by=by)
            yield Leaf("count", selector=selector, by=by)


def test_quantile_is_within_its_bound(rolled: Index) -> None:
    """The quantile of sessions and that of rollups differ by the bound at most."""
    ours, exact = readers(rolled)
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    for field, point in (("duration", 0.5), ("duration", 0.95), ("lcp", 0.75)):
        leaf = Leaf("quantile", field, points=(point,))
        [(_, _, value)] = ours.evaluate(leaf, window)
        [(_, _, true)] = exact.evaluate(leaf, window)

        assert value == pytest.approx(true, rel=ERROR * 1.001)
    assert ours.take_notices() == [WITHIN]
    assert exact.take_notices() == []


def random_leaf(dice: random.Random, reader: SqliteReader) -> Leaf:
    """Return any question; most can be answered from rollups."""
    by = [name for name in ("app", "environment") if dice.random() < 0.25]
    dimension = dice.choice(_DIMENSIONS)
    if dice.random() < 0.4:
        by.append(dimension)
    parts: list[Filter] = []
    for name, chance in (("app", 0.3), (dimension, 0.35)):
        if dice.random() < chance:
            parts.append(random_compare(dice, reader, name))
    if dice.random() < 0.2:
        chosen = (dice.choice(("healthy", "errored")),)
        parts.append(Compare("status", dice.choice(("=", "!=")), chosen))
    functions = (
        Leaf("count"),
        Leaf("active"),
        Leaf("sum", dice.choice(("views", "errors", "duration", "actions"))),
        Leaf("avg", dice.choice(("views", "duration"))),
        Leaf("share", where=Compare("bounced", "=", (True,))),
        Leaf("share", where=Compare("errors", ">", (0.0,))),
        Leaf("share", where=Compare("status", "!=", ("crashed",))),
        Leaf("distinct", "user"),
        Leaf("quantile", "duration", points=(0.5,)),
        Leaf("quantile", dice.choice(("lcp", "inp", "dwell")), points=(0.75,)),
        Leaf(dice.choice(("sum", "avg")), "dwell"),
        Leaf("sum", dice.choice(("cost", "frustrations", "long_tasks"))),
        Leaf("share", where=Compare("frustrations", ">", (0.0,))),
        Leaf("avg", "views"),
    )
    chosen_leaf = dice.choice(functions)
    return Leaf(
        chosen_leaf.function,
        chosen_leaf.field,
        chosen_leaf.points,
        chosen_leaf.where,
        And(tuple(parts)),
        tuple(by),
    )


def random_compare(dice: random.Random, reader: SqliteReader, name: str) -> Compare:
    """Return a condition that some sessions meet."""
    if dice.random() < 0.3:
        return Compare(name, dice.choice(("=~", "!~")), (f"{_PATTERN}.*",))
    whole = Window(0, 1 << 53, 0, LATER)
    known = [value for value, _ in reader.values(name, whole, And(), 5)] or ["none"]
    few = dice.sample(known, min(len(known), dice.randint(1, 2)))
    return Compare(name, dice.choice(("=", "!=")), tuple(few))


def random_window(dice: random.Random) -> Window:
    """Return a range with ragged ends, whole or in buckets."""
    start = BEGIN + dice.randint(0, 3 * HOUR)
    end = BEGIN + LENGTH - dice.randint(0, 3 * HOUR)
    return Window(start, end, dice.choice((0, 0, HOUR, 6 * HOUR, 24 * HOUR)), LATER)


def test_impossible_questions_are_refused_alike(rolled: Index) -> None:
    """What sessions refuse, rollups do not answer."""
    ours, exact = readers(rolled)
    leaf = Leaf("sum", "views", by=("page", "error", "action"))
    for reader in (ours, exact):
        with pytest.raises((BadRequest, ValueError)):
            reader.evaluate(leaf, Window(BEGIN, BEGIN + LENGTH, 0, LATER))


def test_late_session_is_counted_at_once(index: Index) -> None:
    """An hour that changed is scanned until it has been recomputed, then known again."""
    index.ingest(page_load("s1", at="10:10:00"))
    assert roll_up(index) == 3  # the hour, its six hours and its day

    index.ingest(page_load("s2", at="10:20:00"))
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    reader, _ = readers(index)
    assert reader.evaluate(Leaf("count"), window) == [((), BEGIN, 2)]
    assert roll_up(index) == 3
    assert reader.evaluate(Leaf("count"), window) == [((), BEGIN, 2)]


def test_expired_sessions_leave_the_figures(index: Index) -> None:
    """What retention deletes is in no figure, and its cells go too."""
    index.ingest(page_load("s1", at="10:10:00") + page_load("s2", at="15:10:00"))
    roll_up(index)

    index.writer.expire(BEGIN + 12 * HOUR)
    reader, _ = readers(index)
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    assert reader.evaluate(Leaf("count"), window) == [((), BEGIN, 1)]
    roll_up(index)
    assert reader.evaluate(Leaf("count"), window) == [((), BEGIN, 1)]
    hour = BEGIN + 15 * HOUR
    assert cells(index) == {(0, hour), (1, BEGIN + 12 * HOUR), (2, BEGIN)}


def cells(index: Index) -> set[tuple[int, int]]:
    """Return the buckets of each level that have cells."""
    reader, _ = readers(index)
    return {
        (level, bucket_of_key(key))
        for level in range(len(LEVELS))
        for (key,) in reader._db.execute(
            "select key from rollup_cells where key >= ? and key < ?",
            (key_of(level, 0, "source", 0), key_of(level, 0, "app", 0)),
        )
    }


def test_hour_under_way_is_left_alone(index: Index) -> None:
    """An hour is computed once it is over; until then its sessions are scanned."""
    index.ingest(page_load("s1", at="10:10:00"))

    assert roll_up(index, now=BEGIN + 10 * HOUR + 30 * 60_000) == 0


def test_cells_are_of_one_tenant(tmp_path: Path) -> None:
    """The same hour of two tenants is in the same rows; each is told its own."""
    engine = Sqlite(tmp_path)
    for tenant, visits in (("ours", 1), ("theirs", 2)):
        entries = [
            page_load(f"s{n}", at="10:10:00", user_id=f"u{n}") for n in range(visits)
        ]
        writer = engine.writer(tenant)
        writer.ingest("faro", decode(chain(*entries)), Progress(1))
    while writer.roll_up(LATER, "single_view"):
        pass
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)

    for leaf in (Leaf("count"), Leaf("distinct", "user"), Leaf("sum", "views")):
        told = [
            engine.reader(each).evaluate(leaf, window) for each in ("ours", "theirs")
        ]
        assert told == [[((), BEGIN, 1)], [((), BEGIN, 2)]]
        ways = {each.by for each in engine.opened[-1].take_answered()}
        assert ways == {"rollups"}
    assert engine.reader("nobody").evaluate(Leaf("count"), window) == []
    for each in engine.opened:
        each.close()


def test_other_definition_of_bounce_is_not_answered(index: Index) -> None:
    """Cells of one definition never answer for another."""
    index.ingest(page_load("s1", at="10:10:00"))
    roll_up(index)
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)
    leaf = Leaf("share", where=Compare("bounced", "=", (True,)))
    other = SqliteReader(index.path, "default", bounce="plausible")

    statement = lambda: other._statement(LATER)  # noqa: E731
    ask = partial(rollup_answers.answer, other._db, leaf, window, statement)
    assert ask(other._scan, nothing) is None
    assert other.evaluate(leaf, window) == [((), BEGIN, 1.0)]
    while index.writer.roll_up(LATER, "plausible"):
        pass
    assert ask(other._scan, nothing)


def test_dimension_with_too_many_values_is_scanned(index: Index) -> None:
    """A flood of pages makes no flood of cells, and no wrong figure."""
    many = MAX_VALUES + 10
    index.ingest(
        entry
        for n in range(many)
        for entry in page_load(f"s{n}", "10:10:00", page=f"/p/{n}")
    )
    roll_up(index)
    reader, exact = readers(index)
    window = Window(BEGIN, BEGIN + 24 * HOUR, 0, LATER)

    leaf = Leaf("count", by=("entry",))
    assert sorted(reader.evaluate(leaf, window)) == sorted(exact.evaluate(leaf, window))
    assert reader.evaluate(Leaf("count"), window) == [((), BEGIN, many)]
    total = reader._db.execute("select sum(n) from rollup_cells")
    assert total.fetchone()[0] < MAX_VALUES


@given(
    st.lists(st.lists(st.floats(0.001, 1e9), max_size=9), min_size=1, max_size=4),
    st.floats(0, 1),
)
def test_quantiles_of_few_are_within_the_bound(
    several: list[list[float]], q: float
) -> None:
    """They lie between the closest ranks, however far these are apart."""
    owners = np.repeat(np.arange(len(several)), [len(each) for each in several])
    buckets = buckets_of(np.array([value for each in several for value in each]))
    entries = Entries(owners, buckets, np.ones(len(owners), np.int64))

    for found, values in zip(
        quantiles_of([entries], len(several), q), several, strict=True
    ):
        if values:
            assert found == pytest.approx(np.quantile(values, q), rel=ERROR * 1.001)
        else:
            assert found is None


def test_histogram_keeps_numbers_within_the_bound() -> None:
    """Every number comes back as one that is off by the bound at most."""
    values = np.array([0.001, 0.1, 1, 2.5, 99, 2_500, 1e9])
    assert values_of(buckets_of(values)) == pytest.approx(values, rel=ERROR * 1.001)
    assert buckets_of(np.array([0.0, -5.0])).tolist() == [ZERO, ZERO]
    assert values_of(np.array([ZERO])) == 0
    none = np.zeros(0, np.int64)
    assert quantiles_of([Entries(none, none, none)], 2, 0.5) == [None, None]
