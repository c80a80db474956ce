"""Page loads of the CLM tracker are stitched, and split where idle, whatever comes late."""

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import Entry
from tests.build import DAY, MINUTE, MS
from tests.corpus.worlds import derived, entries, index_of, mixed, source, truth
from tests.driver import Index

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


GAP = 30 * MINUTE
Line = tuple[int, str, str]  # minute, user, page load
LINES = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from("uv"), st.sampled_from("abc")),
    min_size=1,
    max_size=40,
    unique=True,
)


@WAYS
@settings(max_examples=12)
@given(lines=LINES, seed=st.integers(0, 999), batches=st.integers(1, 8))
def test_sessions_are_what_gaps_divide(
    way: dict[str, int],
    lines: list[Line],
    seed: int,
    batches: int,
) -> None:
    """Whatever comes when: the sessions that one gets by looking at all lines at once."""
    mixed_lines = [visit(line) for line in lines]
    random.Random(seed).shuffle(mixed_lines)
    with TemporaryDirectory() as folder:
        index = Index(Path(folder) / "skald.db", source("clm", **way))
        for n in range(batches):
            index.ingest(mixed_lines[n::batches])
        found = sorted(
            sorted((view.at - DAY) // MINUTE for view in index.session(row["id"], "clm").views)
            for row in index.rows()
        )  # fmt: skip
        index.close()

    assert found == sorted(divided(lines, way))


def visit(line: Line) -> Entry:
    """Build a visit of a page of its own."""
    minute, user, load = line
    at = DAY + minute * MINUTE
    fields = {
        "event": "component_visit", "component_hash": f"{minute}", "timestamp": at,
        "user_id": user, "session_id": load,
    }  # fmt: skip
    return Entry(at * MS, orjson.dumps(fields).decode(), {"job": "clm"}, {})


def divided(lines: list[Line], way: dict[str, int]) -> Iterator[list[int]]:
    """Yield the minutes of each session, found the slow way."""
    pieces: dict[tuple[str, str, int], list[int]] = {}
    stitches, splits = "stitch_ms" in way, "split_ms" in way
    told = [(user if stitches else "", load, minute) for minute, user, load in lines]
    for whose, load, minute in sorted(told):
        last = [key for key in pieces if key[:2] == (whose, load)][-1:]
        if not last or (splits and (minute - pieces[last[0]][-1]) * MINUTE >= GAP):
            last = [(whose, load, len(pieces))]
        pieces.setdefault(last[0], []).append(minute)
    groups = [(key[0], minutes) for key, minutes in pieces.items()]
    while stitches:
        near = next(
            (
                (one, two)
                for one, two in permutations(groups, 2)
                if one[0] == two[0]
                and min(one[1]) <= min(two[1])
                and (min(two[1]) - max(one[1])) * MINUTE < GAP
            ),
            None,
        )
        if near is None:
            break
        groups = [
            each for each in groups if each is not near[0] and each is not near[1]
        ]
        groups.append((near[0][0], near[0][1] + near[1][1]))
    yield from (sorted(minutes) for _, minutes in groups)
