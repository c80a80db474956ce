"""Columns tell of people, errors, pages and journeys what the tables tell."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.demo.world import World
from app.errors import TooExpensive
from app.model import Entry
from app.sessionql.filters import And, Compare, Filter, Not, Or
from app.sessionql.plan import Leaf, Window
from app.settings import SamplingSettings, Settings, SourceSettings
from app.store import open_reader, open_writer
from app.store.columns import build, few, keeping
from app.store.columns.answer import answer
from app.store.columns.keeping import kept_depths, kept_places, kept_ways
from app.store.columns.question import Question
from app.store.insight_seam import FlowQuestion, FunnelQuestion, Ranking
from app.store.ranking import ask_columns
from app.store.reader import SqliteReader
from app.store.seam import Progress, Search
from tests.build import DAY, HOUR
from tests.driver import Index, decode

BEGIN = 300 * DAY
LENGTH = 30 * HOUR
LATER = BEGIN + 3 * 24 * HOUR
QUESTIONS = 60
RATES = (  # of three applications one was not sampled
    SamplingSettings("", "1.887485.0", 0.3),
    SamplingSettings("tealeaf-shop", "", 0.25),
)
_EMPTY = ("views", "actions", "errors")
_FIELDS = (
    "app",
    "environment",
    "version",
    "browser",
    "device",
    "user",
    "entry",
    "status",
)
_SORTS = (
    "start", "end", "duration", "errors", "views", "user", "browser", "entry", "status",
    "bounced", "returning", "cost", "source", "has_replay",
)  # fmt: skip


class Pair:
    """One world, twice: as tables only, and with columns."""

    def __init__(self, folder: Path, state: str) -> None:
        self.state = state
        lines = list(
            World(7, sessions_per_hour=30, visitors=40).history(BEGIN, BEGIN + LENGTH)
        )
        late = [each for each in lines if _hour(each) == 4][::7]
        first = Index(folder / "columns.db")
        first.ingest(each for each in lines if each not in late)
        other = open_writer(Settings(index=folder / "columns.db", tenant="other"))
        other.ingest("faro", decode(lines[::5]), Progress(1))
        if state != "clean":
            _read(first, BEGIN + 29 * HOUR)
        first.ingest(late)
        first.close()
        other.close()
        shutil.copy(folder / "columns.db", folder / "tables.db")
        again = Index(folder / "columns.db")
        if state != "dirty":
            _read(again, LATER)
        again.close()
        if state == "clean":
            db = sqlite3.connect(folder / "columns.db")
            for table in _EMPTY:  # what is told of them comes from columns then
                db.execute(f"delete from {table}")  # noqa: S608 - no stranger's
            db.commit()
            db.close()
        rates = RATES if state == "sampled" else ()
        self.columns, self.tables = (
            _reader(folder / name, rates) for name in ("columns.db", "tables.db")
        )
        if state != "clean":
            db = sqlite3.connect(folder / "tables.db")
            db.execute("delete from row_groups")
            db.execute(
                "insert or ignore into columns_dirty"
                " select distinct start - start % 3600000 from sessions"
            )
            db.commit()
            db.close()


def _hour(entry: Entry) -> int:
    return (entry.ts // 1_000_000 - BEGIN) // HOUR


def _read(index: Index, now: int) -> None:
    while index.writer.roll_up(now, "single_view"):
        pass


def _reader(path: Path, rates: tuple[SamplingSettings, ...] = ()) -> SqliteReader:
    faro = SourceSettings(name="faro", sampling=rates)
    reader = open_reader(Settings(index=path, sources=(faro,)))
    assert isinstance(reader, SqliteReader)
    return reader


@pytest.fixture(scope="module", params=["clean", "dirty", "late", "sampled", "kept"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """One world whose columns hold all, most, or what was true before; or a sample.

    Of one, and of that sample, row groups are small, and what they give is kept of each.
    """
    with pytest.MonkeyPatch.context() as patched:
        if request.param in {"sampled", "kept"}:
            patched.setattr(build, "MAX_JOINED", 100)
            patched.setattr(keeping, "LEAST", 1)
            patched.setattr(keeping, "MAX_SHARE", 9)
        made = Pair(tmp_path_factory.mktemp("pair"), request.param)
        if request.param == "clean":  # nothing is in the tables
            patched.setattr(few, "AT_MOST", 0)
        yield made
    made.columns.close()
    made.tables.close()


def window_of(dice: random.Random) -> Window:
    """Return a range with ragged ends."""
    start = BEGIN + dice.randint(-HOUR, 9 * HOUR)
    end = BEGIN + LENGTH - dice.randint(-HOUR, 9 * HOUR)
    return Window(start, end, 0, BEGIN + LENGTH)


def filter_of(pair: Pair, dice: random.Random, *fields: str) -> Filter:
    """Return a condition that some sessions meet."""
    parts: list[Filter] = []
    everything = Window(BEGIN, BEGIN + LENGTH, 0, LATER)
    for field in dice.sample((*_FIELDS, *fields), dice.choice((0, 1, 1, 2))):
        known = [name for name, _ in pair.tables.values(field, everything, And(), 9)]
        if known:
            sign = dice.choice(("=", "=", "!="))
            parts.append(Compare(field, sign, (dice.choice(known),)))
    made: Filter = dice.choice((And, Or))(tuple(parts)) if parts else And()
    return Not(made) if parts and dice.random() < 0.2 else made


def told(found: Any) -> Any:
    """Make answers comparable: as precise as sums of decimals can be."""
    if isinstance(found, float):
        return float(f"{found:.9g}")
    if isinstance(found, dict):
        return {key: told(each) for key, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [told(each) for each in found]
    return found


def compare(pair: Pair, ask: Callable[[SqliteReader], Any]) -> Any:
    """Return what columns answer, which is what tables answer."""
    got, wanted = ask(pair.columns), ask(pair.tables)
    assert told(got) == told(wanted)
    return got


def reads_columns(pair: Pair, window: Window, selector: Filter, kind: str = "") -> bool:
    """Tell whether columns answer here, and the tables there."""
    asked = [
        ask_columns(each, each._db, window, selector, lambda question: [question], kind)
        for each in (pair.columns, pair.tables)
    ]
    assert asked[1] is None
    return asked[0] is not None


def test_users_are_ranked_alike(pair: Pair) -> None:
    """In any order, page by page, and only those with some sessions."""
    dice = random.Random(1)
    sorts = (
        "sessions",
        "first_seen",
        "last_seen",
        "duration_avg",
        "errors",
        "views",
        "cost",
    )
    hits = 0
    for _ in range(QUESTIONS):
        window, selector = window_of(dice), filter_of(pair, dice)
        sort, descending = dice.choice(sorts), dice.random() < 0.7
        least = dice.choice((1, 1, 2, 5))
        cursor: str | None = ""
        while cursor is not None:
            ranking = Ranking(window, selector, sort, descending, 9, cursor, least)
            found = compare(pair, lambda r: _page(r.people(ranking)))  # noqa: B023
            cursor = found[1]
        hits += reads_columns(pair, window, selector)
    assert hits == QUESTIONS


def _page(ranked: Any) -> tuple[Any, ...]:
    return ranked.items, ranked.next_cursor, ranked.total, ranked.sample


def test_columns_have_a_time_too(pair: Pair) -> None:
    """What is not answered in time is refused, and nothing is left half done."""
    reader = SqliteReader(pair.columns._path, "default", timeout_s=0.0)
    window = Window(BEGIN, BEGIN + LENGTH, 0, LATER)

    with pytest.raises(TooExpensive, match="took over 0 s"):
        reader.places(Ranking(window, sort="views"))
    reader.close()


def test_pages_are_ranked_alike(pair: Pair) -> None:
    """Also where a filter chooses pages."""
    dice = random.Random(2)
    sorts = (
        "views",
        "sessions",
        "users",
        "entries",
        "exits",
        "bounces",
        "dwell",
        "dwell_avg",
    )
    for _ in range(QUESTIONS):
        window, selector = window_of(dice), filter_of(pair, dice)
        if dice.random() < 0.5:
            page = Compare("page", dice.choice(("=~", "!~")), ("/p.*",))
            selector = And((selector, page)) if selector != And() else page
        ranking = Ranking(window, selector, dice.choice(sorts), limit=7, sample=1)
        compare(pair, lambda r: _page(r.places(ranking)))  # noqa: B023


def test_errors_are_ranked_alike(pair: Pair) -> None:
    """With what the first and the last of each group say, and one group in detail."""
    dice = random.Random(3)
    sorts = ("count", "sessions", "users", "first_seen", "last_seen")
    seen = 0
    for _ in range(QUESTIONS):
        window, selector = window_of(dice), filter_of(pair, dice, "page")
        if dice.random() < 0.3:
            selector = Compare("error", "=~", ("T.*",))
        ranking = Ranking(window, selector, dice.choice(sorts), dice.random() < 0.5, 5)
        items = compare(pair, lambda r: _page(r.problems(ranking)))[0]  # noqa: B023
        for item in items[:1]:
            one = item["fingerprint"]
            compare(pair, lambda r: r.problem(one, window, selector))  # noqa: B023
            seen += 1
    assert seen > QUESTIONS / 3


def test_who_came_back_is_told_alike(pair: Pair) -> None:
    """By hours and days, whoever came before the range."""
    dice = random.Random(4)
    for _ in range(QUESTIONS):
        window, selector = window_of(dice), filter_of(pair, dice)
        step = dice.choice((HOUR, 6 * HOUR, 24 * HOUR))

        def ask(reader: SqliteReader) -> Any:
            found = reader.returns(window, selector, step, 0)  # noqa: B023
            cells = [(each.cohort, each.period, each.users) for each in found.cells]
            return sorted(cells), found.earlier

        compare(pair, ask)


def test_journeys_are_told_alike(pair: Pair) -> None:
    """From a page, to a page, step by step, with many pages or few told apart."""
    dice = random.Random(5)
    pages = ["", "/nowhere", *_pages(pair)]
    for _ in range(QUESTIONS):
        side = dice.choice(
            ({}, {"after": dice.choice(pages)}, {"before": dice.choice(pages)})
        )
        question = FlowQuestion(
            window_of(dice), filter_of(pair, dice), **side,
            depth=dice.choice((0, 0, 1, 3)), top=dice.choice((1, 2, 5, 20)), sample=1,
        )  # fmt: skip
        compare(pair, lambda r: _flow(r.flow(question)))  # noqa: B023
        brief = replace(question, is_brief=True)
        compare(pair, lambda r: _counts(r.flow(brief)))  # noqa: B023


def _counts(found: Any) -> Any:
    flow = found.flow
    return [
        {key: (each.count, each.dwell) for key, each in those.items()}
        for those in (flow.places, flow.edges)
    ]


def test_what_is_kept_answers(pair: Pair) -> None:
    """Of whole row groups, where no more than app and environment choose sessions."""
    window, app = Window(BEGIN, BEGIN + LENGTH, 0, LATER), Compare("app", "!=", ("x",))
    found = {}
    for selector in (And(), Not(app), And((app,)), Compare("version", "!=", ("x",))):

        def kept(question: Question) -> list[bool]:
            return [
                keep(question, part) is not None
                for part in question.parts
                for keep in (kept_places, kept_ways, kept_depths)
            ]

        reader = pair.columns
        found[selector] = ask_columns(reader, reader._db, window, selector, kept)
    of_version = found.pop(Compare("version", "!=", ("x",)))
    assert of_version is not None
    assert not any(of_version)
    for each in found.values():
        assert each is not None
        assert set(each) == {pair.state in {"sampled", "kept"}}


def _pages(pair: Pair) -> list[str]:
    everything = Window(BEGIN, BEGIN + LENGTH, 0, LATER)
    return [name for name, _ in pair.tables.values("page", everything, And(), 20)]


def _flow(found: Any) -> Any:
    return found.flow, found.names, found.sample


def test_funnels_are_told_alike(pair: Pair) -> None:
    """Strict or not, of pages, actions and errors, told apart, with who dropped off."""
    dice = random.Random(6)
    pages = _pages(pair)
    for _ in range(QUESTIONS):
        count = dice.randint(2, 4)
        steps = tuple(_step(dice, pages) for _ in range(count))
        if dice.random() < 0.3:  # any page makes each of them
            steps = (Compare("page", "=~", ("..*",)),) * count
        question = FunnelQuestion(
            window_of(dice), steps, filter_of(pair, dice), dice.random() < 0.3,
            dice.choice((0, 0, 30_000, 600_000)), dice.choice(("", "browser", "app")),
            dice.choice((0, 1, count - 1)), limit=5, groups=2, sample=1,
        )  # fmt: skip
        compare(pair, lambda r: _funnel(r.funnel(question)))  # noqa: B023


def _funnel(found: Any) -> Any:
    groups = [(name, each.reached, each.took) for name, each in found.groups]
    return groups, found.dropped, found.sample


def _step(dice: random.Random, pages: list[str]) -> Compare:
    if dice.random() < 0.6:
        return Compare("page", "=", tuple(dice.sample(pages, dice.randint(1, 3))))
    if dice.random() < 0.5:
        return Compare("page", "=~", (".*",))
    return Compare(dice.choice(("action", "action", "error")), "=~", (".+",))


def test_sessions_are_found_alike(pair: Pair) -> None:
    """In any order, page by page, with how many there are."""
    dice = random.Random(8)
    for _ in range(QUESTIONS):
        window, selector = window_of(dice), filter_of(pair, dice)
        sort, descending, cursor = dice.choice(_SORTS), dice.random() < 0.5, ""
        for _ in range(3):
            search = Search(
                window, selector, sort, descending, 11, cursor or "", ("user", "errors")
            )
            found = compare(pair, lambda r: _found(r.search(search)))  # noqa: B023
            cursor = found[1]
            if cursor is None:
                break


def _found(found: Any) -> Any:
    return found.items, found.next_cursor, found.total


def test_figures_of_events_are_told_alike(pair: Pair) -> None:
    """By page, action or error, of events or of the sessions that have them."""
    dice = random.Random(9)
    leaves = (
        Leaf("count", by=("page",)), Leaf("count", by=("error", "browser")),
        Leaf("count", by=("action",)), Leaf("quantile", "lcp", (0.75,)),
        Leaf("quantile", "cls", (0.5, 0.95), by=("page",)), Leaf("avg", "dwell"),
        Leaf("sum", "views", by=("page",)), Leaf("sum", "errors", by=("page", "version")),
        Leaf("avg", "duration", by=("page",)), Leaf("distinct", "page"),
        Leaf("distinct", "user", by=("action",)), Leaf("avg", "bounced", by=("page",)),
        Leaf("max", "inp", by=("entry",)),
    )  # fmt: skip
    answered = 0
    for _ in range(QUESTIONS * 2):
        leaf = dice.choice(leaves)
        chosen = filter_of(pair, dice, "page")
        leaf = Leaf(leaf.function, leaf.field, leaf.points, None, chosen, leaf.by)
        window = window_of(dice)
        window = Window(window.start, window.end, dice.choice((0, HOUR)), window.now)
        statement = pair.columns._statement(window.now)
        got = answer(pair.columns._db, leaf, window, statement)
        if got is not None:
            answered += 1
            wanted = pair.tables._scan(leaf, window)
            assert sorted(map(told, got), key=repr) == sorted(
                map(told, wanted), key=repr
            )
    assert answered > QUESTIONS
