"""Rollups count active sessions as the tables do, however long sessions are."""

import random

import numpy as np
import pytest

from app.model import Entry
from app.sessionql.filters import And, Compare
from app.sessionql.plan import Leaf, Window
from app.store.rollups.moves import moved, moves_of, read_moves
from tests.build import DAY, HOUR, MINUTE, log, page_load
from tests.driver import Index
from tests.store.test_rollups import readers, roll_up, rolled_up

DAYS = 12
LATER = DAY + 2 * DAYS * 24 * HOUR
STEPS = (0, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR)


def visit(dice: random.Random, name: str) -> list[Entry]:
    """Return the lines of a session: of minutes, of hours, seldom of days."""
    at = DAY + dice.randrange(DAYS * 24 * HOUR)
    version = dice.choice(("1.0", "2.0"))
    lines = [*page_load(name, at=at, app_version=version)]
    longest = dice.choice((MINUTE, HOUR, HOUR, 5 * HOUR, 5 * HOUR, 100 * HOUR))
    for n in range(dice.randrange(6)):
        at += dice.randrange(1, longest)
        lines += log(name, at=at, message=f"still here {n}", app_version=version)
    return lines


def random_window(dice: random.Random) -> Window:
    """Return a range in buckets or whole, with ragged ends more often than not."""
    start = DAY + dice.randrange(DAYS * 24 * HOUR)
    end = start + dice.randrange(HOUR, DAYS * 24 * HOUR)
    if dice.random() < 0.3:
        start, end = start - start % HOUR, end - end % HOUR + HOUR
    return Window(start, end, dice.choice(STEPS), LATER)


@pytest.mark.parametrize("late", [0, 3])
@pytest.mark.parametrize("seed", [1, 2])
def test_active_sessions_are_those_of_the_tables(
    index: Index, seed: int, late: int
) -> None:
    """Whole and in steps, by label, also while hours wait to be recomputed."""
    dice = random.Random(seed)
    index.ingest(line for n in range(150) for line in visit(dice, f"s{n}"))
    roll_up(index, LATER)
    index.ingest(line for n in range(late) for line in visit(dice, f"late{n}"))
    ours, exact = readers(index)
    chosen = And((Compare("version", "=", ("2.0",)),))
    answered = 0
    for _ in range(120):
        by = dice.choice([(), ("app",), ("version",)])
        leaf = Leaf("active", selector=dice.choice((And(), chosen)), by=by)
        window = random_window(dice)
        found = rolled_up(ours, leaf, window, dice)
        answered += found is not None
        if found is not None:
            true = sorted(exact._scan(leaf, window))
            assert sorted(found.cells) == true, (leaf, window)

    assert answered > 60


def test_moves_are_hours_and_the_hours_since_the_last() -> None:
    """Each hour counts once; what is told of an hour may be told of its day."""
    sessions, hours = np.array([0, 0, 0, 1, 0]), np.array([0, 3, 0, 0, 900])
    moves = moves_of(np.array([5, 7]), sessions, hours)
    at, gaps = read_moves(moves)
    assert moves.owners.tolist() == [5, 5, 5, 7]
    assert at.tolist() == [0, 3, 900, 0]
    assert gaps.tolist() == [0, 3, 254, 0]  # as many hours as are told apart

    at, again = read_moves(moved(moves, np.arange(8)))
    assert at.tolist() == [5, 8, 905, 7]
    assert again.tolist() == gaps.tolist()
