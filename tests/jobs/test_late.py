"""Lines that come late are found, at little cost, and none is lost or counted twice."""

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.standin import StandIn
from app.jobs.late import ages_of, join
from app.model import Entry
from tests.build import (
    DAY,
    HOUR,
    MINUTE,
    MS,
    SECOND,
    entry,
    js_error,
    line,
    log,
    ms,
    page_load,
)
from tests.driver import SOURCE, Index
from tests.worlds import PLAIN, read_from, selectable, source_of

EVERY = 30 * SECOND


def watch(index: Index, since: str | int, until: str | int) -> None:
    """Run every half minute, as a service would."""
    for now in range(ms(since), ms(until) + 1, EVERY):
        index.run(now)


@pytest.mark.parametrize("minutes", [1, 4, 14, 40, 58])
def test_late_line_is_found_at_its_age(index: Index, minutes: int) -> None:
    """A line that comes minutes late is found soon after, up to the horizon."""
    index.feed(page_load("s1", at="10:00:10"))
    watch(index, "10:00", ms("10:01") + minutes * MINUTE)

    index.feed(js_error("s1", at="10:00:40"))
    watch(index, ms("10:01") + minutes * MINUTE, "11:03")

    assert index.session("s1").errors == 1


def test_line_that_comes_a_minute_late_is_there_a_minute_later(index: Index) -> None:
    """The first look is taken when a minute is a minute old."""
    index.feed(page_load("s1", at="10:00:10"))
    watch(index, "10:00", "10:01:30")

    index.feed(js_error("s1", at="10:00:40"))
    watch(index, "10:02", "10:02:30")

    assert index.session("s1").errors == 1


def test_later_than_the_horizon_is_too_late(index: Index) -> None:
    """What comes after the horizon is not looked for, and a backfill finds it."""
    index.feed(page_load("s1", at="10:00:10"))
    watch(index, "10:00", "11:10")
    index.feed(js_error("s1", at="10:00:40"))
    watch(index, "11:10", "11:20")
    assert index.session("s1").errors == 0

    index.backfill()
    assert index.session("s1").errors == 1


@pytest.mark.parametrize(
    "at",
    ["10:02:00", "10:02:59.999", "10:03:00", "10:02:01", "10:02:00.001"],
)
def test_full_second_is_in_the_bucket_that_it_ends(index: Index, at: str) -> None:
    """A late line on the edge of a second or minute is found, and nothing read twice."""
    usual = [log("s1", f"10:{minute:02}:{s:02}", received=f"10:{minute:02}:{s:02}")
             for minute in range(1, 6) for s in (0, 1, 30, 59)]  # fmt: skip
    index.feed(page_load("s1", at="10:00:10"), *usual)
    watch(index, "10:00", "10:06")
    reports = [index.run("10:06:30")]
    assert reports[0].late_entries == 0

    index.feed(js_error("s1", at="10:02:30", received=at))
    reports = [index.run(now) for now in range(ms("10:07"), ms("11:10"), MINUTE)]

    assert index.session("s1").errors == 1
    assert 1 <= sum(report.late_entries for report in reports) <= 3


def test_nothing_late_reads_nothing_again(index: Index) -> None:
    """As long as all comes in time, no line is read twice."""
    lines = [log("s1", ms("10:00") + n * 777, f"turn {n}") for n in range(400)]
    index.feed(*lines)
    reports = [index.run(now) for now in range(ms("10:00"), ms("12:00"), 20_000)]

    assert sum(report.entries for report in reports) == len(lines)


def test_pause_longer_than_the_horizon_loses_nothing(index: Index) -> None:
    """What came late while nobody looked is found after it, in the last minute too."""
    index.feed(page_load("s1", at="10:00:10"))
    watch(index, "10:00", "10:07:20")

    late = ["10:01:30", "10:05:10", "10:06:50", "10:07:05"]
    index.feed(*[js_error("s1", at, f"error at {at}", received=at) for at in late])
    index.feed(page_load("s2", at="12:30"))
    watch(index, "14:00", "14:02")

    assert index.session("s1").errors == len(late)
    assert index.session("s2").events == 2


def test_pauses_and_late_lines_of_one_second_are_counted_once(index: Index) -> None:
    """A second that is read in two parts is known in full."""
    first = log("s1", "10:00:00.1", "first", received="10:00:00.2")
    second = log("s1", "10:00:00.3", "second", received="10:00:00.8")
    index.feed(first, second)
    index.run(now=ms("10:00") + 500)
    index.run(now=ms("10:00") + 900)

    at = ms("10:00") // 1000
    assert index.writer.counts("faro", at, at + 1) == {at + 1: 2}


@settings(max_examples=15)
@given(
    arrivals=st.lists(
        st.tuples(st.integers(0, 5_400), st.integers(0, 3_400)), min_size=1, max_size=60
    ),
    gaps=st.lists(st.integers(60, 1_500), min_size=2, max_size=12),
)
def test_every_line_is_there_in_the_end(
    tmp_path_factory: pytest.TempPathFactory,
    arrivals: list[tuple[int, int]],
    gaps: list[int],
) -> None:
    """However late within the horizon, however irregular the runs: none is missing."""
    index = Index(tmp_path_factory.mktemp("late") / "skald.db")
    begin = ms("10:00")
    coming = [
        (at + late, log("s1", begin + at * SECOND + n, f"line {n}"))
        for n, (at, late) in enumerate(arrivals)
    ]
    now, run = 0, 0
    while now < 5_400 + 3_600:
        index.feed(
            *[told for at, told in coming if now - gap_of(gaps, run - 1) <= at < now]
        )
        index.run(begin + now * SECOND)
        now += gap_of(gaps, run)
        run += 1
    index.close()
    index.run(begin + (now + 3_700) * SECOND)
    index.run(begin + (now + 7_400) * SECOND)

    assert index.session("s1").events == len(arrivals) == len(index.entries)
    index.close()


def gap_of(gaps: list[int], run: int) -> int:
    """Return the seconds between a run and the next."""
    return gaps[run % len(gaps)]


def test_steady_state_reads_little_again(tmp_path: Path) -> None:
    """With 0.2 % of the lines late, less than 5 % of the bytes are read twice."""
    dice = random.Random(5)
    begin, payloads, lasting = ms("10:00"), 9, 600
    coming: dict[int, list[Entry]] = {}
    for second in range(lasting):
        for n in range(payloads):
            at = begin + second * SECOND + n * 100
            is_late = dice.random() < 0.002
            arrival = second + (dice.randrange(5, 280) if is_late else 0)
            coming.setdefault(arrival // 20, []).extend(payload(at, second, n))
    with StandIn(limits=PLAIN) as loki:
        source = source_of(loki, horizon_ms=5 * MINUTE)
        source = replace(source, start_ms=MINUTE)
        index = Index(tmp_path / "skald.db", source)
        reports = []
        for step in range(max(coming) + 20):
            loki.load(selectable(coming.get(step, [])))
            now = begin + (step + 1) * 20 * SECOND
            reports.append(index.run(now, read_from(source)))
        total = sum(report.bytes for report in reports)
        lines = sum(len(told) for told in coming.values())
        events = sum(row["events"] for row in index.rows())
        index.close()

    once = sum(len(each.line) for told in coming.values() for each in told)
    assert events == lines
    assert 1 < total / once < 1.05


def payload(at: int, second: int, number: int) -> list[Entry]:
    """Return what one browser sends at once."""
    session = f"s{second // 60}-{number}"
    return [
        replace_ts(entry(line("log", session, at, message=f"m{at}-{k}"), at), k)
        for k in range(6)
    ]


def replace_ts(given: Entry, micros: int) -> Entry:
    """Receive an entry so much later."""
    return Entry(given.ts + micros * 1_000, given.line, given.labels, given.metadata)


def test_ages_grow_to_the_horizon() -> None:
    """Minutes are looked at when they are 1, 5, 15 and 60 minutes old, and no older."""
    assert ages_of(HOUR) == (60, 300, 900, 3_600)
    assert ages_of(10 * MINUTE) == (60, 300, 600)
    assert ages_of(30 * SECOND) == (30,)
    assert ages_of(7 * 24 * HOUR)[-1] == 7 * 24 * 3_600


@given(st.sets(st.integers(0, 300)))
def test_joined_ranges_cover_what_grew(seconds: set[int]) -> None:
    """Ranges hold every second that grew, ascend, stay apart, and add little."""
    ranges = join(seconds)
    covered = {s for since, until in ranges for s in range(since + 1, until + 1)}

    assert seconds <= covered
    assert all(a[1] < b[0] for a, b in pairwise(ranges))
    assert len(covered) <= 3 * len(seconds)


def test_horizon_of_nothing_looks_for_nothing(tmp_path: Path) -> None:
    """Who sets no horizon pays for no counting."""
    index = Index(tmp_path / "skald.db", replace(SOURCE, horizon_ms=0))
    index.feed(page_load("s1", at="10:00:10"))
    watch(index, "10:00", "10:05")
    index.feed(js_error("s1", at="10:00:40"))
    watch(index, "10:05", "10:10")

    assert index.session("s1").errors == 0
    assert index.writer.cursor("faro") == (DAY + 10 * HOUR + 10 * MINUTE) * MS
    index.close()
