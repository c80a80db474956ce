"""Rollups count users who came first as the tables do."""

import random

import pytest

from app.model import Entry
from app.sessionql.filters import And, Compare, Filter
from app.sessionql.plan import Leaf, Window
from app.store.rollups import answer as rollup_answers
from tests.build import DAY, HOUR, page_load
from tests.driver import Index
from tests.store.test_rollups import nothing, readers, roll_up, rolled_up

DAYS = 10
LATER = DAY + 2 * DAYS * 24 * HOUR
IS_NEW = Compare("returning", "=", (False,))
IN_SHOP = Compare("app", "=", ("shop",))


def visit(dice: random.Random, name: str) -> list[Entry]:
    """Return a session of one of some users, or of nobody, in one of two applications."""
    at = DAY + dice.randrange(DAYS * 24 * HOUR)
    app, environment = dice.choice(("shop", "blog")), dice.choice(("test", "live"))
    meta = {"app_name": app, "app_environment": environment}
    if dice.random() < 0.9:
        meta["user_id"] = f"u{int(dice.expovariate(0.03))}"
    return page_load(name, at=at, **meta)


@pytest.mark.parametrize("late", [0, 4])
def test_new_users_are_those_of_the_tables(index: Index, late: int) -> None:
    """Of all applications and of each, also while hours wait to be recomputed."""
    dice = random.Random(5)
    index.ingest(line for n in range(300) for line in visit(dice, f"s{n}"))
    roll_up(index, LATER)
    index.ingest(line for n in range(late) for line in visit(dice, f"late{n}"))
    ours, exact = readers(index)
    answered = 0
    for _ in range(150):
        start = DAY + dice.randrange(DAYS * 24 * HOUR) * dice.randrange(2)
        end = start + dice.randrange(HOUR, DAYS * 24 * HOUR)
        window = Window(start, end, dice.choice((0, HOUR, 6 * HOUR, 24 * HOUR)), LATER)
        chosen: Filter = dice.choice((IS_NEW, And((IS_NEW, IN_SHOP))))
        by = dice.choice([(), ("app",)])
        leaf = Leaf("distinct", "user", selector=chosen, by=by)
        found = rolled_up(ours, leaf, window, dice)
        answered += found is not None
        if found is not None:
            true = sorted(exact._scan(leaf, window))
            assert sorted(found.cells) == true, (leaf, window)

    assert answered > 75


@pytest.mark.parametrize(
    "other",
    [
        Leaf("distinct", "user", selector=Compare("returning", "=", (True,))),
        Leaf("distinct", "user", selector=IS_NEW, by=("environment",)),
        Leaf(
            "distinct",
            "user",
            selector=And((IS_NEW, Compare("environment", "=", ("live",)))),
        ),
    ],
)
def test_who_came_first_elsewhere_is_not_for_rollups(index: Index, other: Leaf) -> None:
    """A user who is new to an environment may be known to the application."""
    index.ingest(page_load("s1", at="10:10:00", user_id="u1"))
    roll_up(index, LATER)
    ours, _ = readers(index)
    window = Window(DAY, DAY + 24 * HOUR, 0, LATER)

    statement = lambda: ours._statement(LATER)  # noqa: E731
    found = rollup_answers.answer(
        ours._db, other, window, statement, ours._scan, nothing
    )
    assert found is None
