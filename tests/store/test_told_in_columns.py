"""Columns tell of traces, models, tags and scores what tables and counting tell."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.catalog.fields import FIELDS, find, kinds_of
from app.errors import BadRequest
from app.model import Entry
from app.sessionql.evaluate import Cell
from app.sessionql.filters import And, Compare, Filter, Not, Or
from app.sessionql.plan import Leaf, Window
from app.settings import SourceSettings
from app.store.columns.answer import answer
from app.store.reader import SqliteReader
from tests.build import HOUR, MINUTE, page_load
from tests.corpus.made_langfuse import MODELS, TAGS, langfuse
from tests.driver import Index
from tests.store.plain import PlainStore, know

BEGIN = 1_795_132_800_000  # the midnight after which made worlds begin, ms
LENGTH = 48 * HOUR
LATER = BEGIN + 9 * 24 * HOUR
SEEDS = 25
QUESTIONS = 250
SOURCE = SourceSettings(name="lf", format="langfuse", lag_ms=0, start_ms=24 * HOUR)
KINDS = {"traces": "trace", "usage": "usage", "tags": "tag", "scores": "score"}
_OF_SESSION = ("app", "source", "version", "user", "environment")
_STEPS = (0, 0, HOUR, 6 * HOUR, 24 * HOUR, 17 * MINUTE)
_POINTS = (0.0, 0.25, 0.5, 0.95, 1.0)


def fields_of(kind: str, *types: str) -> list[str]:
    """Return the fields of events of *kind* that have one of these types."""
    return [
        name
        for name, field in FIELDS.items()
        if kinds_of(field) == (kind,) and field.type in types
    ]


@pytest.fixture(scope="module", params=["clean", "dirty", "late"])
def held(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Index]:
    """An index of two days: read, partly read, or changed since."""
    path = tmp_path_factory.mktemp("told") / "skald.db"
    index = Index(path, SOURCE)
    lines = [each for seed in range(SEEDS) for each in langfuse(seed).entries]
    late = [each for each in lines if _hour(each) == 4][::3]
    index.ingest(each for each in lines if each not in late)
    browsing = Index(path)
    for hour in (1, 5, 5, 30, 47):
        browsing.ingest(page_load(f"b{hour}", at=BEGIN + hour * HOUR, page="/cart"))
    browsing.close()
    if request.param != "clean":
        roll_up(index, BEGIN + 40 * HOUR)
    index.ingest(late)
    if request.param != "dirty":
        for _ in range(200 if request.param == "clean" else 4):
            index.writer.roll_up(LATER, "single_view")
    yield index
    index.close()


def _hour(entry: Entry) -> int:
    return (entry.ts // 1_000_000 - BEGIN) // HOUR


def roll_up(index: Index, now: int = LATER) -> None:
    """Read all that changed."""
    while index.writer.roll_up(now, "single_view"):
        pass


def sessions_of(index: Index) -> PlainStore:
    """Return all sessions, derived from their events, in a list."""
    reader = index.reader
    found = [reader.session(row["app"], row["id"]) for row in index.rows()]
    return PlainStore(know([each for each in found if each], LATER))


@pytest.mark.parametrize("kind", KINDS.values())
def test_columns_answer_as_tables_do_and_counting_does(held: Index, kind: str) -> None:
    """Any question about them, whatever was read and whatever changed since."""
    dice, reader = random.Random(kind), held.reader
    assert isinstance(reader, SqliteReader)
    plain = sessions_of(held)
    answered = filled = 0
    for turn in range(QUESTIONS):
        window, leaf = random_window(dice), random_leaf(dice, kind)
        chosen = random_filter(dice, 2) if turn % 2 else plain_filter(dice)
        leaf = replace(leaf, selector=chosen)
        true = told(reader._scan(leaf, window))
        if not turn % 2:
            assert same(true, told(plain.evaluate(leaf, window))), (leaf, window)
        got = answer(reader._db, leaf, window, reader._statement(window.now))
        if got is not None:
            answered += 1
            filled += any(value for *_, value in got)
            assert same(told(got), true), (leaf, window)

    assert answered > QUESTIONS * 0.9
    assert filled > QUESTIONS / 4


def told(cells: list[Cell]) -> dict[Any, float | None]:
    """Return cells by what they are of."""
    return {(labels, bucket): value for labels, bucket, value in cells}


def same(one: dict[Any, float | None], other: dict[Any, float | None]) -> bool:
    """Tell whether answers are the same, but for how sums are rounded."""
    about = {
        key: each if each is None else pytest.approx(each, rel=1e-9)
        for key, each in one.items()
    }
    return about == other


def random_window(dice: random.Random) -> Window:
    """Return a range with ragged ends, whole or in buckets."""
    start = BEGIN + dice.randint(-HOUR, 9 * HOUR)
    end = BEGIN + LENGTH - dice.randint(-HOUR, 9 * HOUR)
    return Window(start, end, dice.choice(_STEPS), LATER)


def random_leaf(dice: random.Random, kind: str) -> Leaf:
    """Return any question about events of *kind*, or about sessions by their labels."""
    labels, numbers = fields_of(kind, "string"), fields_of(kind, "number")
    number = dice.choice([*numbers, "cost", "duration", "traces"])
    leaf = dice.choice(
        (
            Leaf("count"),
            Leaf("sum", number),
            Leaf("avg", number),
            Leaf("min", number),
            Leaf("max", number),
            Leaf("quantile", number, points=(dice.choice(_POINTS),)),
            Leaf("distinct", dice.choice([*labels, "user", "version"])),
        )
    )
    own = dice.sample(labels, dice.randint(1, len(labels)))
    by = (*own, *dice.sample(_OF_SESSION, dice.choice((0, 0, 1))))
    if leaf.field in {*labels, *numbers} and dice.random() < 0.4:
        by = by[len(own) :]
    return replace(leaf, by=by)


def plain_filter(dice: random.Random) -> Filter:
    """Return what counting by hand understands: at most a condition on each kind."""
    parts = (random_compare(dice), random_compare(dice))
    by_kind = {kind_of(each): each for each in parts if each.field != "page"}
    return And(tuple(by_kind.values()))


def kind_of(compare: Compare) -> tuple[str, ...]:
    """Return which events a comparison is about."""
    field = find(compare.field)
    return kinds_of(field) if field else ()


def random_filter(dice: random.Random, depth: int) -> Filter:
    """Return a condition that some sessions meet, or some of their events."""
    roll = dice.random()
    if depth and roll < 0.5:
        parts = tuple(random_filter(dice, depth - 1) for _ in range(dice.randint(0, 2)))
        if not parts:
            return And()
        return dice.choice((And(parts), Or(parts), Not(parts[0])))
    return random_compare(dice)


def random_compare(dice: random.Random) -> Compare:
    """Return a comparison of a text or of a number."""
    if dice.random() < 0.5:
        return random_text(dice)
    kind = dice.choice(list(KINDS.values()))
    names = [*fields_of(kind, "number"), "cost", "tokens", "errors"]
    op = dice.choice(("=", "!=", "<", "<=", ">", ">="))
    values = (0, 1, 2, 0.051, 900, 2_000.5, 1e300)
    return Compare(dice.choice(names), op, (dice.choice(values),))


def random_text(dice: random.Random) -> Compare:
    """Return a comparison of a text, of one that is there mostly."""
    known = {
        "model": MODELS,
        "tag": TAGS,
        "trace": ("welcome", "地图", "pkc-viewer"),
        "trace_user": ("u-1", "0", ""),
        "score": ("fit",),
        "app": ("chat", "worker", "shop"),
        "user": ("u-1", "0"),
        "page": ("/cart",),
    }
    name = dice.choice(list(known))
    op = dice.choice(("=", "=", "!=", "=~", "!~", "<", ">="))
    if "~" in op:
        return Compare(name, op, (dice.choice(("[^x]*", "g.*", "", "x?")),))
    several = (*known[name], "none")
    count = 2 if op in {"=", "!="} else 1
    return Compare(name, op, tuple(dice.sample(several, count)))


def test_several_quantiles_and_histograms_are_as_of_tables(held: Index) -> None:
    """What counting by hand has no way to say."""
    reader = held.reader
    assert isinstance(reader, SqliteReader)
    window = Window(BEGIN, BEGIN + LENGTH, 6 * HOUR, LATER)
    for kind in KINDS.values():
        label, *_ = fields_of(kind, "string")
        for number in (*fields_of(kind, "number"), "cost"):
            for leaf in (
                Leaf("quantile", number, points=(0.5, 0.95), by=(label,)),
                Leaf("histogram", number, points=(0.0, 0.05, 900.0), by=(label,)),
            ):
                got = answer(reader._db, leaf, window, reader._statement(LATER))
                assert got, leaf
                assert same(told(got), told(reader._scan(leaf, window))), leaf


def test_sums_of_cost_are_the_same_to_the_last_bit(held: Index) -> None:
    """So that a rule records one value, whatever answered it."""
    reader = held.reader
    assert isinstance(reader, SqliteReader)
    window = Window(BEGIN, BEGIN + LENGTH, 0, LATER)
    for function in ("sum", "avg"):
        for field, by in (
            ("cost", "app"),
            ("cost", "tag"),
            ("model_cost", "model"),
            ("trace_cost", "trace"),
        ):
            leaf = Leaf(function, field, by=(by,))
            got = answer(reader._db, leaf, window, reader._statement(LATER))
            assert got
            assert told(got) == told(reader._scan(leaf, window))


def test_columns_alone_answer(tmp_path: Path) -> None:
    """No row of a table is looked at once an hour was read."""
    index = Index(tmp_path / "skald.db", SOURCE)
    for seed in range(3):
        index.ingest(langfuse(seed).entries)
    roll_up(index)
    reader = index.reader
    assert isinstance(reader, SqliteReader)
    window = Window(BEGIN, BEGIN + LENGTH, 0, LATER)
    leaves = [
        Leaf("count", by=(name,)) for kind in KINDS.values() for name in fields_of(kind, "string")
    ]  # fmt: skip
    leaves = [
        replace(leaf, selector=selector)
        for leaf in leaves
        for selector in (And(), Compare("model", "=~", (".*4.*",)))
    ]
    true = [told(reader._scan(leaf, window)) for leaf in leaves]
    db = sqlite3.connect(index.path)
    for table in KINDS:
        db.execute(f"delete from {table}")  # noqa: S608 - no stranger's
    db.commit()
    db.close()

    assert [told(reader.evaluate(leaf, window)) for leaf in leaves] == true
    assert {each.by for each in reader.take_answered()} == {"columns"}
    assert all(true)
    index.close()


def test_sessions_without_traces_hold_none(index: Index) -> None:
    """Nothing is stored of what nobody tells, and the answer is none."""
    index.ingest(
        page_load("s1", at=BEGIN + HOUR) + page_load("s2", at=BEGIN + 9 * HOUR)
    )
    roll_up(index)
    reader = index.reader
    assert isinstance(reader, SqliteReader)
    names = {
        name.partition(".")[0]
        for (name,) in reader._db.execute("select name from column_chunks")
    }
    window = Window(BEGIN, BEGIN + LENGTH, 0, LATER)

    assert names.isdisjoint(KINDS)
    assert "views" in names
    for kind in KINDS.values():
        for name in fields_of(kind, "string"):
            leaf = Leaf("count", by=(name,))
            asked = reader._statement(LATER)
            assert answer(reader._db, leaf, window, asked) == [], name
    wrong = Leaf("count", by=("model",), selector=Compare("errors", "=", ("x",)))
    with pytest.raises(BadRequest, match="'errors' is a number"):
        reader.evaluate(wrong, window)
    leaf = Leaf("count", selector=Not(Compare("model", "=", ("gpt-4o",))))
    assert answer(reader._db, leaf, window, reader._statement(LATER)) == [
        ((), BEGIN, 2)
    ]


def test_fields_of_several_kinds_are_refused(held: Index) -> None:
    """As the tables refuse them."""
    reader = held.reader
    window = Window(BEGIN, BEGIN + LENGTH, 0, LATER)
    with pytest.raises(BadRequest, match="no event has all of trace, model_cost"):
        reader.evaluate(Leaf("sum", "model_cost", by=("trace",)), window)
