"""A world is the same however often, and in whatever pieces, it is asked for."""

import itertools
import subprocess
import sys
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.world import Mischief, SessionTruth, World
from app.demo.world.world import SPAN_MS
from app.model import Entry

NOON = 1_795_176_000_000  # 2026-11-20T12:00:00Z, in ms
MINUTE = 60_000
TROUBLE = Mischief(
    late=0.1,
    backdated=0.1,
    late_ms=5 * MINUTE,
    duplicates=0.1,
    identical=0.1,
    shuffled=0.1,
    skewed=0.2,
    burst_every=7,
    burst_lines=50,
    broken=1.0,
)


def world(seed: int, mischief: Mischief | None = None) -> World:
    """Make a small world."""
    trouble = mischief or Mischief()
    return World(seed, sessions_per_hour=40, visitors=40, mischief=trouble)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**40), trouble=st.sampled_from([Mischief(), TROUBLE]))
def test_same_seed_same_world(seed: int, trouble: Mischief) -> None:
    """Two worlds of one seed send the same entries and tell the same truth."""
    one, two = world(seed, trouble), world(seed, trouble)
    end = NOON + 10 * MINUTE

    assert list(one.history(NOON, end)) == list(two.history(NOON, end))
    assert list(one.sessions(NOON, end)) == list(two.sessions(NOON, end))


def test_other_seed_other_world() -> None:
    """Another seed gives other sessions."""
    ids = [
        {t.session_id for t in world(s).sessions(NOON, NOON + 10**6)} for s in (1, 2)
    ]

    assert ids[0]
    assert not ids[0] & ids[1]


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    cuts=st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=5),
    trouble=st.sampled_from([Mischief(), TROUBLE]),
)
def test_history_then_live_is_one_run(
    seed: int, cuts: list[int], trouble: Mischief
) -> None:
    """History up to a moment, then live in steps, gives what one history gives."""
    end = NOON + 20 * MINUTE
    instants = [NOON + cut for cut in sorted(cuts)] + [end]
    here = world(seed, trouble)

    pieces = list(here.history(NOON, instants[0]))
    for since, now in itertools.pairwise(instants):
        pieces += here.live(since, now)

    assert pieces == list(world(seed, trouble).history(NOON, end))


def test_history_is_in_the_order_of_receipt() -> None:
    """Without mischief, entries come by rising ts, and none from outside the range."""
    stamps = [entry.ts for entry in world(3).history(NOON, NOON + 30 * MINUTE)]

    assert stamps == sorted(stamps)
    assert stamps[0] >= NOON * 10**6
    assert stamps[-1] < (NOON + 30 * MINUTE) * 10**6


def test_whole_history_holds_all_of_its_sessions() -> None:
    """Asked for whole sessions, history holds every line that their truth counts."""
    truths: list[SessionTruth] = []
    entries = list(
        world(4).history(NOON, NOON + 30 * MINUTE, whole=True, on_session=truths.append)
    )

    assert truths == list(world(4).sessions(NOON, NOON + 30 * MINUTE))
    assert len(entries) == sum(truth.lines for truth in truths)


def test_sessions_keep_within_the_span() -> None:
    """No line is received later than the span that history looks back for."""
    many = World(5, sessions_per_hour=1200)
    truths = many.sessions(NOON, NOON + 30 * MINUTE)

    longest = max(t.last_received_ns // 10**6 - t.start_ms for t in truths)
    assert longest < SPAN_MS


def test_mischief_changes_no_session() -> None:
    """What happens to lines on their way changes nothing of what happened."""

    def happened(truth: SessionTruth) -> tuple[object, ...]:
        return truth.session_id, truth.pages, truth.start_ms, truth.end_ms, truth.lines

    calm = [happened(t) for t in world(6).sessions(NOON, NOON + 20 * MINUTE)]
    trouble = Mischief(late=0.5, duplicates=0.5, identical=0.5, skewed=0.5)
    wild = world(6, trouble).sessions(NOON, NOON + 20 * MINUTE)

    assert [happened(t) for t in wild] == calm


def test_days_are_busier_than_nights() -> None:
    """There are more sessions in the evening than before dawn."""
    busy = World(7, sessions_per_hour=200)
    midnight = NOON - 12 * 60 * MINUTE

    def count(hour: int) -> int:
        start = midnight + hour * 60 * MINUTE
        return sum(1 for _ in busy.sessions(start, start + 60 * MINUTE))

    assert count(15) > 1.5 * count(3)


def test_bad_release_is_bad_for_some_hours() -> None:
    """The shop's bad release fails and drags; the one after it does not."""
    here = World(8, sessions_per_hour=500, incident_ms=NOON, incident_hours=1)
    shop = [
        truth
        for truth in here.sessions(NOON - 60 * MINUTE, NOON + 120 * MINUTE)
        if truth.app == "tealeaf-shop"
    ]

    def share(version: str) -> float:
        found = [truth.errors > 0 for truth in shop if truth.version == version]
        return sum(found) / len(found)

    def paint(version: str) -> float:
        found = [v.lcp or 0 for t in shop if t.version == version for v in t.vitals]
        return sorted(found)[len(found) // 2]

    assert share("3.5.0") > 3 * max(share("3.4.1"), share("3.5.1"))
    assert paint("3.5.0") > 1.4 * max(paint("3.4.1"), paint("3.5.1"))


def test_lines_have_the_real_size() -> None:
    """Lines are about 1.1 kB, as real ones are."""
    here = World(9, sessions_per_hour=300, dialect="alloy")
    entries = list(here.history(NOON, NOON + 20 * MINUTE))
    sizes = [len(entry.line) for entry in entries]

    assert 1000 < sum(sizes) / len(sizes) < 1250


def test_command_writes_lines_and_truth(tmp_path: Path) -> None:
    """The command writes entries and truth as JSON lines, the same ones every time."""
    out, truth = tmp_path / "lines.jsonl", tmp_path / "truth.jsonl"
    command = [
        sys.executable,
        "-m",
        "app.demo.world",
        "--sessions",
        "30",
        "--hours",
        "1",
    ]
    subprocess.run([*command, "--out", out, "--truth", truth], check=True)

    lines = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    truths = [orjson.loads(line) for line in truth.read_bytes().splitlines()]
    assert sum(told["lines"] for told in truths) == len(lines)
    assert lines[0].keys() == {"ts_ns", "labels", "line"}
    assert lines[0]["labels"].keys() == {"job", "app_name", "app_environment", "kind"}


def test_entries_share_their_labels() -> None:
    """Entries of one stream share one dictionary, so that they cost little memory."""
    by_stream: dict[tuple[str, ...], set[int]] = {}
    entry: Entry
    for entry in world(10).history(NOON, NOON + 10 * MINUTE):
        key = tuple(entry.labels.values())
        by_stream.setdefault(key, set()).add(id(entry.labels))

    assert all(len(ids) == 1 for ids in by_stream.values())
