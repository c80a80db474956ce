"""The sessions of every format are the same in whatever order and pieces lines come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus.worlds import derived, followed, mixed, truth, whole

FORMATS = pytest.mark.parametrize("name", ["clm", "openobserve", "langfuse"])


@FORMATS
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), batches=st.integers(1, 40))
def test_order_repeats_and_splits_make_no_difference(
    name: str, seed: int, batches: int
) -> None:
    """Lines shuffled, sent again, and cut anywhere: the same index."""
    assert derived(name, mixed(name, seed, batches)) == whole(name)


@FORMATS
@settings(max_examples=5)
@given(cuts=st.lists(st.floats(0, 1), max_size=12))
def test_runs_cut_anywhere_make_no_difference(name: str, cuts: list[float]) -> None:
    """However often the indexer runs while lines come in, the index is the same."""
    assert followed(name, cuts) == whole(name)


@FORMATS
def test_no_session_is_missing_and_none_is_made_up(name: str) -> None:
    """There are exactly the sessions of the truth."""
    found = {row[0][1:] for row in whole(name)[0]}
    apps = {"clm": "app", "openobserve": "app", "langfuse": "service"}

    assert found == {
        (each[apps[name]], each["session_id"]) for each in truth(name)["sessions"]
    }
