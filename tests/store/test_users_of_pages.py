"""Users of pages are counted alike by flags and by sorting, however they are cut."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store.columns import places
from app.store.columns.places import _users
from app.store.columns.views import Share

PARTS = st.lists(
    st.sets(st.tuples(st.integers(1, 12), st.integers(1, 40)), max_size=40),
    min_size=1,
    max_size=4,
)


def share_of(pairs: set[tuple[int, int]]) -> Share:
    """Return what a part gives in which these pages were seen by these users."""
    ids = sorted({page for page, _ in pairs})
    people = sorted({user for _, user in pairs})
    ordered = sorted((ids.index(page), people.index(user)) for page, user in pairs)
    return Share(
        np.array(ids, np.int64),
        np.zeros((9, len(ids))),
        np.array(people, np.int64),
        np.array([page for page, _ in ordered], np.int64),
        np.array([user for _, user in ordered], np.int64),
    )


@pytest.mark.parametrize("sparse", [0, 1 << 30], ids=["sorted", "flagged"])
@pytest.mark.parametrize("most", [1, 7, 1 << 20])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=PARTS)
def test_each_user_counts_once_a_page(
    monkeypatch: pytest.MonkeyPatch,
    sparse: int,
    most: int,
    parts: list[set[tuple[int, int]]],
) -> None:
    """As a set of pairs says, whatever fits into one step."""
    monkeypatch.setattr(places, "SPARSE", sparse)
    monkeypatch.setattr(places, "MAX_PAIRS", most)
    monkeypatch.setattr(places, "MAX_FLAGS", most * 10)
    every = set().union(*parts)
    ids = np.array(sorted({page for page, _ in every}), np.int64)

    found = _users(ids, [share_of(pairs) for pairs in parts])

    assert found.tolist() == [
        sum(page == each for page, _ in every) for each in ids.tolist()
    ]
