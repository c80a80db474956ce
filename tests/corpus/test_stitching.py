"""Page loads of the CLM tracker are stitched, and split where idle, whatever comes late."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import MINUTE
from tests.corpus.worlds import derived, entries, index_of, mixed, truth

STITCH = {"stitch_ms": 30 * MINUTE}
SPLIT = {"split_ms": 30 * MINUTE}
WAYS = pytest.mark.parametrize("way", [STITCH, SPLIT, STITCH | SPLIT])


@WAYS
@settings(max_examples=6)
@given(seed=st.integers(0, 10_000), batches=st.integers(1, 12))
def test_order_makes_no_difference(
    way: dict[str, int], seed: int, batches: int
) -> None:
    """Lines shuffled, sent again, and cut anywhere: the same sessions."""
    whole = derived("clm", [list(entries("clm"))], **way)

    assert derived("clm", mixed("clm", seed, batches), **way) == whole


def test_page_loads_of_one_user_are_one_session(tmp_path: Path) -> None:
    """As many sessions as there are gaps of half an hour between a user's page loads."""
    loads: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for told in truth("clm")["sessions"]:
        for user in told["users"]:
            loads[told["app"], user].append((told["start_ms"], told["end_ms"]))
    gaps = sum(
        1 + sum(two[0] - one[1] >= 30 * MINUTE for one, two in pairwise(sorted(spans)))
        for spans in loads.values()
    )
    index = index_of("clm", tmp_path, **STITCH)
    rows = index.rows()
    index.close()

    assert len(rows) == gaps
    reloaded = next(
        told
        for told in truth("clm")["sessions"]
        if told["note"].endswith("session_part1")
    )
    stitched = next(row for row in rows if row["id"].startswith(reloaded["session_id"]))
    assert stitched["views"] > reloaded["counts"]["visits"]


def test_idle_tab_is_split(tmp_path: Path) -> None:
    """A page load that idled for three hours is two sessions."""
    idle = next(
        told for told in truth("clm")["sessions"] if told["note"].startswith("idle_3h")
    )
    index = index_of("clm", tmp_path, **SPLIT)
    parts = [row for row in index.rows() if row["id"].startswith(idle["session_id"])]
    index.close()

    assert len(parts) == 2
    assert sum(row["views"] for row in parts) == idle["counts"]["visits"]
