"""Mischief does to lines what networks do, and the truth knows it."""

from collections import Counter, defaultdict

import pytest

from app.demo.world import Counts, Mischief, SessionTruth, World
from app.demo.world.broken import DEFECTS
from app.demo.world.text import go_time
from app.model import Entry

NOON = 1_795_176_000_000
MINUTE = 60_000


def run(
    mischief: Mischief, dialect: str = "mixed"
) -> tuple[list[Entry], list[SessionTruth]]:
    """Make half an hour of a troubled world, whole sessions."""
    truths: list[SessionTruth] = []
    here = World(2, sessions_per_hour=100, mischief=mischief, dialect=dialect)
    end = NOON + 30 * MINUTE
    return list(here.history(NOON, end, whole=True, on_session=truths.append)), truths


def stored(entries: list[Entry]) -> int:
    """Count what Loki keeps of them."""
    return len({(entry.ts, entry.line, str(entry.labels)) for entry in entries})


def test_late_lines_are_received_late() -> None:
    """Late batches come up to the given time later, and are stamped so."""
    calm, _ = run(Mischief())
    late, _ = run(Mischief(late=1.0, late_ms=10 * MINUTE))
    usual = {entry.line: entry.ts for entry in calm}
    waits = [entry.ts - usual[entry.line] for entry in late]

    assert 5 * MINUTE < max(waits) / 10**6 <= 10 * MINUTE
    assert [e.ts for e in late] == sorted(e.ts for e in late)


def test_backdated_lines_come_late_with_their_usual_stamp() -> None:
    """Backdated batches are in Loki later than their stamp says."""
    calm, _ = run(Mischief())
    late, truths = run(Mischief(backdated=0.5))

    assert {(e.ts, e.line) for e in late} == {(e.ts, e.line) for e in calm}
    assert [e.ts for e in late] != sorted(e.ts for e in late)
    assert max(t.last_received_ns for t in truths) > max(e.ts for e in late)


def test_duplicates_are_stored_twice() -> None:
    """A second copy with another stamp is one more entry, but not one more line."""
    entries, truths = run(Mischief(duplicates=0.3))

    assert stored(entries) == len(entries) == sum(t.stored for t in truths)
    assert len({e.line for e in entries}) == sum(t.lines for t in truths)
    assert sum(t.stored for t in truths) > 1.2 * sum(t.lines for t in truths)


def test_identical_copies_are_stored_once() -> None:
    """What is delivered again with the same stamp is the same entry."""
    entries, truths = run(Mischief(identical=0.3))

    assert len(entries) > 1.2 * stored(entries)
    assert stored(entries) == sum(t.stored for t in truths)
    assert stored(entries) == sum(t.lines for t in truths)


def test_skewed_clocks_are_in_the_truth() -> None:
    """A skewed browser writes its own time; the truth tells the true one."""
    entries, truths = run(Mischief(skewed=0.5), dialect="alloy")
    lines = defaultdict(list)
    for entry in entries:
        lines[entry.line.split("session_id=")[1].split()[0]].append(entry.line)

    assert {t.skew_ms for t in truths} == {0, 37 * MINUTE, -26 * 60 * MINUTE}
    for truth in truths:
        begin = go_time(truth.start_ms + truth.skew_ms)
        assert any(f'timestamp="{begin}"' in line for line in lines[truth.session_id])


def test_bursts_share_one_nanosecond() -> None:
    """In a burst more lines than a page of Loki holds share one stamp."""
    entries, truths = run(Mischief(burst_every=15, burst_lines=6000))
    stamp, most = Counter(entry.ts for entry in entries).most_common(1)[0]

    assert most > 6000
    assert len({str(e.labels) for e in entries if e.ts == stamp}) > 1
    assert max(t.lines for t in truths) > 6000
    assert stored(entries) == sum(t.stored for t in truths)


@pytest.mark.parametrize("dialect", ["alloy", "json", "otel"])
def test_broken_lines_are_told(dialect: str) -> None:
    """Every broken line is told, with what it counts as, and is of no session."""
    here = World(3, sessions_per_hour=6, mischief=Mischief(broken=4.0), dialect=dialect)
    end = NOON + 30 * MINUTE
    entries = {e.ts: e for e in here.history(NOON, end, whole=True)}
    truths = list(here.sessions(NOON, end))
    told = list(here.broken(NOON, end))

    assert len(entries) == sum(t.lines for t in truths) + len(told)
    assert {broken.defect for broken in told} == DEFECTS.keys()
    for broken in told:
        line = entries[broken.ts].line
        is_named = broken.counts in (Counts.SESSION, Counts.UNKNOWN)
        assert bool(broken.session_id) == is_named
        assert not is_named or broken.session_id in line


def test_huge_line_is_just_under_the_limit() -> None:
    """The huge line is as long as Loki takes by default, the endless key is longer."""
    here = World(3, sessions_per_hour=6, mischief=Mischief(broken=8.0))
    end = NOON + 20 * MINUTE
    sizes = {e.ts: len(e.line) for e in here.history(NOON, end)}
    by_defect = {b.defect: sizes[b.ts] for b in here.broken(NOON, end)}

    assert 250_000 < by_defect["huge"] <= 256 * 1024
    assert by_defect["megabyte_key"] > 1024 * 1024
