"""Funnels and journeys by column are those of one session after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sessions.funnels import walk, walk_strictly
from app.store.columns import events
from app.store.columns.events import first_of_each
from app.store.columns.funnels import Hits, follow_loosely, follow_strictly
from app.store.columns.shares import ShareCache

HITS = st.tuples(st.integers(0, 6), st.integers(0, 7))  # ms since the one before, steps
SESSIONS = st.lists(st.lists(HITS, min_size=1, max_size=9), max_size=40)


def laid_out(
    sessions: list[list[tuple[int, int]]],
) -> tuple[Hits, list[list[tuple[int, int]]]]:
    """Return hits in columns, and those of each session with their times."""
    timed = []
    for session in sessions:
        at = np.cumsum([each for each, _ in session]).tolist()
        timed.append(list(zip(at, (bits for _, bits in session), strict=True)))
    flat = [(row, *hit) for row, session in enumerate(timed) for hit in session]
    rows, at, bits = zip(*flat, strict=True) if flat else ((), (), ())
    columns = (
        np.array(rows, np.int64),
        np.array(at, np.int64),
        np.array(bits, np.uint32),
    )
    return Hits(*columns), timed


@given(SESSIONS, st.integers(0, 12))
def test_all_sessions_walk_as_each_would(
    sessions: list[list[tuple[int, int]]], within: int
) -> None:
    """However many hits a session has, and whatever happens in the same millisecond."""
    hits, timed = laid_out(sessions)

    for follow, alone in ((follow_loosely, walk), (follow_strictly, walk_strictly)):
        rows, made, times = follow(hits, 3, within)

        assert rows.tolist() == list(range(len(timed)))
        for row, session in enumerate(timed):
            chain = alone(session, 3, within)
            assert tuple(times[: made[row], row].tolist()) == chain


@given(
    st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=60), max_size=6),
    st.sampled_from([(10, 64), (3, 5), (1, 1)]),
)
def test_a_value_counts_once_a_session(
    sessions: list[list[int]], bounds: tuple[int, int]
) -> None:
    """In sessions of few events, which are compared, and of many, which are sorted."""
    rows = np.array([row for row, each in enumerate(sessions) for _ in each], np.int64)
    values = np.array([value for each in sessions for value in each], np.int64)

    with pytest.MonkeyPatch.context() as patched:
        for name, bound in zip(("_SHORT", "_LONG"), bounds, strict=True):
            patched.setattr(events, name, bound)
        found = first_of_each(values, rows)

    wanted = [
        at == each.index(value) for each in sessions for at, value in enumerate(each)
    ]
    assert found.tolist() == wanted


def test_shares_are_kept_up_to_their_bound() -> None:
    """What was not used for longest goes first; what is large is not kept at all."""
    cache = ShareCache(10_000)
    for number in range(100):
        cache.of(number, lambda: (np.zeros(100),))
    asked = []

    cache.of(99, lambda: asked.append(99) or (0,))  # type: ignore[func-returns-value]
    cache.of(0, lambda: asked.append(0) or (0,))  # type: ignore[func-returns-value]
    cache.of("large", lambda: (np.zeros(2_000),))

    assert asked == [0]
    assert cache.nbytes <= 10_000
