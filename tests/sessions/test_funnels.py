"""Funnels: as many steps as could be made, counted by trying every way."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from app.sessions.funnels import Hit, new_funnel, walk, walk_strictly

STEPS = 3
HITS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7)), max_size=7).map(
    lambda gaps: [
        (sum(gap for gap, _ in gaps[: index + 1]), bits)
        for index, (_, bits) in enumerate(gaps)
    ]
)
WITHIN = st.integers(0, 6)


def reachable(hits: list[Hit], within: int, *, strict: bool) -> int:
    """Try all ways to choose events for steps; return the most steps made."""
    for length in range(min(STEPS, len(hits)), 0, -1):
        for chosen in combinations(range(len(hits)), length):
            if strict and chosen[-1] - chosen[0] != length - 1:
                continue
            fits = all(hits[at][1] >> n & 1 for n, at in enumerate(chosen))
            took = hits[chosen[-1]][0] - hits[chosen[0]][0]
            if fits and (not within or took <= within):
                return length
    return 0


@given(HITS, WITHIN)
def test_walk_makes_as_many_steps_as_could_be(hits: list[Hit], within: int) -> None:
    """Whatever lies between, in whatever time, no way makes more steps."""
    made = walk(hits, STEPS, within)

    assert len(made) == reachable(hits, within, strict=False)
    assert list(made) == sorted(made)


@given(HITS, WITHIN)
def test_strict_walk_makes_as_many_steps_in_a_row(hits: list[Hit], within: int) -> None:
    """Nothing may lie between, and no run makes more steps."""
    made = walk_strictly(hits, STEPS, within)

    assert len(made) == reachable(hits, within, strict=True)


def test_limit_is_held_by_the_last_begin() -> None:
    """A visitor who begins again later may still be in time."""
    hits = [(0, 1), (90, 1), (100, 2)]

    assert walk(hits, 2, within=20) == (90, 100)


def test_funnel_sums_time_between_steps() -> None:
    """A session counts at every step it made, and its time at the later ones."""
    funnel = new_funnel(3)

    funnel.add((0, 10))
    funnel.add((5,), weight=4)
    funnel.add((0, 20, 25))

    assert funnel.reached == [6, 2, 1]
    assert funnel.took == [0, 30, 5]
