"""Paths: transitions as counting each trail by hand gives them."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.sessions.journeys import ENTRY, EXIT, NO_DWELL, OTHER, Trails, flow_of

PAGES = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=6), max_size=8)


def trails_of(pages: list[list[int]]) -> Trails:
    """Pack trails; each view lasts as long as its page's number says, the last is open."""
    trails = Trails()
    for session, trail in enumerate(pages):
        for index, page in enumerate(trail):
            trails.add(session, page, page if index + 1 < len(trail) else NO_DWELL)
    return trails


@given(PAGES)
def test_all_transitions_are_counted(pages: list[list[int]]) -> None:
    """With entry and exit, each trail of n views has n + 1 transitions."""
    flow = flow_of(trails_of(pages))

    expected: Counter[tuple[int, int]] = Counter()
    touched: Counter[tuple[int, int]] = Counter()
    for trail in pages:
        steps = [ENTRY, *trail, EXIT]
        pairs = list(pairwise(steps))
        expected.update(pairs)
        touched.update(set(pairs))
    found = {(a[1], b[1]): each for (a, b), each in flow.edges.items()}
    assert {edge: each.count for edge, each in found.items()} == expected
    assert {edge: each.sessions for edge, each in found.items()} == touched


@given(PAGES)
def test_what_comes_in_goes_out(pages: list[list[int]]) -> None:
    """At every page as many arrive as leave, and its dwell is that of its views."""
    flow = flow_of(trails_of(pages), top=2)

    for place, passage in flow.places.items():
        if place[1] in {ENTRY, EXIT}:
            continue
        arrived = sum(e.count for (_, to), e in flow.edges.items() if to == place)
        left = sum(e.count for (at, _), e in flow.edges.items() if at == place)
        assert arrived == left == passage.count
        if place[1] != OTHER:
            assert passage.dwell == passage.dwelled * place[1]


@given(PAGES, st.integers(1, 5), st.integers(1, 3))
def test_forward_steps_follow_the_first_visit(
    pages: list[list[int]], page: int, depth: int
) -> None:
    """From the first visit of a page on, each step is told apart."""
    flow = flow_of(trails_of(pages), after=page, depth=depth)

    for level in range(1, depth + 1):
        expected = Counter(
            trail[trail.index(page) + level]
            for trail in pages
            if page in trail and len(trail) > trail.index(page) + level
        )
        found = {p: e.count for (at, p), e in flow.places.items() if at == level}
        found.pop(EXIT, None)
        assert found == expected


@given(PAGES, st.integers(1, 5), st.integers(1, 3))
def test_backward_steps_lead_to_the_first_visit(
    pages: list[list[int]], page: int, depth: int
) -> None:
    """Up to the first visit of a page, each step before it is told apart."""
    flow = flow_of(trails_of(pages), before=page, depth=depth)

    for level in range(1, depth + 1):
        expected = Counter(
            trail[trail.index(page) - level]
            for trail in pages
            if page in trail and trail.index(page) >= level
        )
        found = {p: e.count for (at, p), e in flow.places.items() if at == -level}
        found.pop(ENTRY, None)
        assert found == expected


def test_rare_pages_are_one() -> None:
    """Beyond the top pages all are one place, and the number of pages is told."""
    flow = flow_of(trails_of([[1, 1, 2], [1, 3], [1, 4]]), top=1)

    assert {page for _, page in flow.places} == {1, OTHER, ENTRY, EXIT}
    assert flow.places[0, OTHER].count == 3
    assert flow.pages == 4
