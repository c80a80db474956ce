"""An answer stays good while what it is made of stays, whatever else is written."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from app.sessionql.filters import Compare
from app.sessionql.language import parse
from app.sessionql.plan import Leaf, Window
from app.store import answers
from app.store.leaf_reader import WITHIN
from app.store.pool import Readers
from app.store.reader import SqliteReader
from app.store.seam import Reader
from tests.build import DAY, HOUR, action, js_error, page_load
from tests.driver import Index
from tests.privacy.oracle import erase
from tests.store.test_answers import ways

LENGTH = 24 * HOUR  # of a day
LATER = DAY + 5 * LENGTH
NOON = DAY + 12 * HOUR
MORNING = Window(DAY + 6 * HOUR, NOON, 0, LATER)
COUNT = Leaf("count")
RETURNING = Leaf("distinct", "user", selector=Compare("returning", "=", (True,)))
ACTIVE = Leaf("active")


@pytest.fixture
def reader(index: Index) -> Iterator[Reader]:
    """A reader that remembers; the index has a session at 10:10 and one at 15:10."""
    index.ingest(page_load("s1", at="10:10:00", user_id="jane"))
    index.ingest(page_load("s2", at="15:10:00", user_id="jane"))
    index.writer.roll_up(DAY, "single_view")  # agrees on a definition, no more
    with closing(Readers(index.settings).open(index.settings)) as opened:
        yield opened


def ask_twice(reader: Reader, index: Index, leaf: Leaf, change: str) -> list[str]:
    """Ask about the morning before and after a change; say whether it was remembered."""
    changes = {
        "earlier": lambda: index.ingest(page_load("s9", "02:00:00", user_id="jane")),
        "within": lambda: index.ingest(page_load("s9", "11:00:00", user_id="joe")),
        "later": lambda: index.ingest(page_load("s9", "14:00:00", user_id="jane")),
        "longer": lambda: index.ingest(action("s1", "13:00:00", "pay")),
        "came": lambda: index.ingest(page_load("s2", "11:50:00", how="resume")),
        "went": lambda: index.ingest(page_load("s1", "05:50:00", how="resume")),
        "expired": lambda: index.writer.expire(NOON - HOUR),
        "rolled": lambda: index.writer.roll_up(NOON + 5 * HOUR, "single_view"),
        "progress": lambda: index.ingest([]),
    }
    reader.evaluate(leaf, MORNING)
    changes[change]()
    reader.evaluate(leaf, MORNING)
    return ways(reader)


@pytest.mark.parametrize("change", ["earlier", "later", "rolled", "progress"])
def test_what_changes_elsewhere_leaves_an_answer(
    reader: Reader, index: Index, change: str
) -> None:
    """An hour is rolled up: the newest first, which is the one in the afternoon."""
    assert ask_twice(reader, index, COUNT, change) == ["new", "cache"]


@pytest.mark.parametrize("change", ["within", "longer", "came", "went", "expired"])
def test_what_changes_a_session_of_the_range_is_asked_anew(
    reader: Reader, index: Index, change: str
) -> None:
    """Where it began before counts as much as where it begins now."""
    assert ask_twice(reader, index, COUNT, change) == ["new", "new"]


def test_what_goes_while_an_answer_is_looked_for_is_asked_anew(
    reader: Reader, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session by which two ranges differ is deleted before they are compared."""
    begun = DAY + 10 * HOUR + 10 * 60_000 - 1  # the session, in the same minute
    assert reader.evaluate(COUNT, replace(MORNING, start=begun - 1_000))
    is_empty = answers._is_empty

    def delete_and_look(db: sqlite3.Connection, one: int, other: int) -> bool:
        index.writer.expire(NOON)
        return is_empty(db, one, other)

    monkeypatch.setattr(answers, "_is_empty", delete_and_look)

    assert reader.evaluate(COUNT, replace(MORNING, start=begun)) == []


@pytest.mark.parametrize("leaf", [RETURNING, ACTIVE])
@pytest.mark.parametrize(("change", "way"), [("earlier", "new"), ("later", "cache")])
def test_figures_that_depend_on_the_past_look_back(
    reader: Reader, index: Index, leaf: Leaf, change: str, way: str
) -> None:
    """Who returned, and who is still there, is told by sessions before the range."""
    assert ask_twice(reader, index, leaf, change) == ["new", way]


def leaves() -> list[Leaf]:
    """Return figures of all kinds, also of those that look back."""
    asked = [
        '{ page = "/cart" } | count_over_time() by (app)',
        "{ } | quantile_over_time(duration, 0.5)",
        "{ returning = false } | distinct_over_time(user)",
        "{ } | share_over_time(returning = true)",
        "{ } | active_over_time()",
        "{ } | sum_over_time(views) by (entry)",
        "{ } | share_over_time(errors > 0)",
        "{ } | share_over_time(bounced = true)",
        "{ } | quantile_over_time(lcp, 0.75)",
    ]  # fmt: skip
    found = [parse(each).figures for each in asked]
    return [each for each in found if isinstance(each, Leaf)]


class Life:
    """Writes what a life brings: sessions, late lines, erasures, retention, rollups."""

    def __init__(self, index: Index, dice: random.Random) -> None:
        self._index, self._dice = index, dice
        self._now = DAY + LENGTH

    def begin(self) -> None:
        """Write what there is to begin with."""
        for _ in range(20):
            self._news()

    def go_on(self) -> None:
        """Commit something."""
        one = self._dice.choices(
            (self._news, self._late, self._roll_up, self._expire, self._erase),
            (5, 3, 5, 1, 1),
        )[0]
        one()

    def _visit(self, at: int) -> None:
        name, user = self._dice.randrange(60), self._dice.randrange(8)
        page = self._dice.choice(("/", "/cart", "/pay"))
        more = {"user_id": f"u{user}"}
        kind = self._dice.randrange(4)
        if kind == 0:
            self._index.ingest(js_error(f"s{name}", at))
        elif kind == 1:
            self._index.ingest(action(f"s{name}", at, "pay"))
        else:
            entries = page_load(f"s{name}", at, page=page, lcp=at % 4_000, **more)
            self._index.ingest(entries)

    def _news(self) -> None:
        self._now += self._dice.randrange(2 * HOUR)
        self._visit(self._now)

    def _late(self) -> None:
        self._visit(self._now - self._dice.randrange(2 * LENGTH))

    def _roll_up(self) -> None:
        for _ in range(self._dice.randrange(1, 12)):
            self._index.writer.roll_up(self._now, "single_view")

    def _expire(self) -> None:
        self._index.writer.expire(self._now - 2 * LENGTH)

    def _erase(self) -> None:
        erase(self._index, f"u{self._dice.randrange(8)}", now=self._now)

    def window(self) -> Window:
        """Return a range of whole hours, or a ragged one."""
        length = self._dice.choice((6 * HOUR, LENGTH, 2 * LENGTH))
        end = DAY + LENGTH + self._dice.randrange(0, 8) * 6 * HOUR
        end += self._dice.choice((0, 0, 1_000, 20 * 60_000))
        step = self._dice.choice((0, 0, HOUR, 6 * HOUR))
        return Window(end - length, end, step, LATER)


@pytest.mark.parametrize("seed", [1, 2])
def test_answers_are_the_same_remembered_or_not(index: Index, seed: int) -> None:
    """Two processes remember, one does not; after every commit all say the same."""
    dice = random.Random(seed)
    life, asked = Life(index, dice), leaves()
    life.begin()
    processes = [Readers(index.settings) for _ in range(2)]
    plain = SqliteReader(index.path, "default")
    windows = [life.window() for _ in range(6)]
    remembered = 0
    for _ in range(80):
        life.go_on()
        for _ in range(6):
            leaf, window = dice.choice(asked), dice.choice(windows)
            with closing(dice.choice(processes).open(index.settings)) as reader:
                told = reader.evaluate(leaf, window)
                remembered += ways(reader) == ["cache"]
            assert sorted(told, key=repr) == sorted(
                plain.evaluate(leaf, window), key=repr
            ), (leaf, window)
    plain.close()

    assert remembered > 30


def test_range_that_moved_knows_of_what_is_gone_from_between(
    reader: Reader, index: Index
) -> None:
    """A session between the two ends was counted, and is not there any more."""
    index.ingest(page_load("s3", at="12:00:10"))
    late = replace(MORNING, start=NOON - HOUR)
    counted = reader.evaluate(COUNT, replace(late, end=NOON + 30_000))
    index.writer.expire(NOON + HOUR)
    moved = reader.evaluate(COUNT, late)

    assert (counted, moved) == ([((), late.start, 1)], [])


def test_figures_that_were_rolled_up_are_told_from_rollups(
    reader: Reader, index: Index
) -> None:
    """An exact quantile becomes one that is within a bound, and says so."""
    leaf = Leaf("quantile", "duration", points=(0.5,))
    ragged = Window(DAY + 9 * HOUR + HOUR // 2, DAY + 11 * HOUR, 0, LATER)
    notices = []
    for _ in range(2):
        reader.evaluate(leaf, ragged)
        notices.append(reader.take_notices())
        while index.writer.roll_up(LATER, "single_view"):
            pass

    assert notices == [[], [WITHIN]]
