"""What every source promises, Loki or replay."""

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.demo.standin import StandIn
from app.errors import SourceRefused
from app.model import Entry
from app.sources import ReplaySource, Source
from tests.sources.builders import (
    SECOND,
    SHOP,
    START,
    entry,
    follow,
    key_of,
    keys_of,
)

MINUTE = 60 * SECOND
Make = Callable[[list[Entry]], Source]


@pytest.fixture(params=["loki", "replay", "file"])
def make(request: pytest.FixtureRequest, loki: StandIn, tmp_path: Path) -> Make:
    """Return what makes a source of entries."""

    def over_loki(entries: list[Entry]) -> Source:
        loki.load(entries)
        return follow(loki, limit=50)

    def over_file(entries: list[Entry]) -> Source:
        file = tmp_path / "lines.jsonl"
        rows = [
            {
                "ts_ns": each.ts,
                "labels": each.labels,
                "line": each.line,
                "structured_metadata": each.metadata,
            }
            for each in entries
        ]
        file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
        return ReplaySource.from_file(file)

    makers: dict[str, Make] = {
        "loki": over_loki,
        "replay": lambda entries: ReplaySource(entries, page=50),
        "file": over_file,
    }
    return makers[request.param]


def world() -> list[Entry]:
    """Build a world with bursts, streams, metadata and a repeated entry."""
    times = [at * SECOND // 3 for at in range(400)] + [7 * MINUTE] * 70
    kinds = [SHOP, {"app": "shop", "kind": "event"}]
    entries = [
        entry(at, f"line {n}", labels=kinds[n % 2], metadata={"n": str(n % 3)})
        for n, at in enumerate(times)
    ]
    return [*entries, entries[5]]


def test_pages_join_and_hold_every_entry_once(make: Make) -> None:
    """Contiguous, ascending, and nothing twice, the repeated entry neither."""
    start, end = START + 10, START + 8 * MINUTE
    source = make(world())

    pages = list(source.pages(start, end))
    source.close()

    assert [page.start for page in pages] == [start, *(page.end for page in pages)][:-1]
    assert pages[-1].end == end
    inside = {key_of(each) for each in world() if start <= each.ts < end}
    assert sorted(keys_of(pages)) == sorted(inside)
    assert sum(page.bytes for page in pages) == sum(len(str(key[1])) for key in inside)


def test_a_time_without_entries_is_a_page_too(make: Make) -> None:
    """That nothing happened is something that a cursor can pass."""
    source = make([])

    pages = list(source.pages(START, START + MINUTE))
    source.close()

    assert [(page.start, page.end, page.entries) for page in pages] == [
        (START, START + MINUTE, 0)
    ]


@pytest.mark.parametrize(
    ("start", "end", "step_s"),
    [(0, 8 * 60, 60), (1, 8 * 60 - 1, 60), (0, 200, 7), (59, 61, 60), (60, 60, 60)],
)
def test_counts_agree_with_the_entries(
    make: Make, start: int, end: int, step_s: int
) -> None:
    """A bucket t has the entries of (t - step, t]; buckets at the edges are whole."""
    first, last, step = START + start * SECOND, START + end * SECOND, step_s * SECOND
    source = make(world())

    counts = source.counts(first, last, step_s)
    source.close()

    buckets = Counter(
        -(-ts // step) * step for ts, *_ in {key_of(each) for each in world()}
    )
    assert counts == {
        at: count for at, count in buckets.items() if first + step <= at <= last
    }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    times=st.lists(st.integers(0, 50), max_size=40),
    page=st.integers(1, 6),
    window=st.tuples(st.integers(-3, 30), st.integers(0, 60)),
)
def test_a_replay_gives_any_window_in_pages_of_any_size(
    times: list[int], page: int, window: tuple[int, int]
) -> None:
    """The page ends between two times, never within one."""
    entries = [entry(at, str(number)) for number, at in enumerate(times)]
    start, end = START + window[0], START + window[0] + window[1]

    pages = list(ReplaySource(entries, page=page).pages(start, end))

    edges = [start, *(each.end for each in pages)]
    assert [each.start for each in pages] == edges[:-1]
    assert edges[-1] == end
    assert sorted(keys_of(pages)) == sorted(
        key_of(each) for each in entries if start <= each.ts < end
    )


@pytest.mark.parametrize("line", ["{", '{"ts_ns": 1}', '{"ts_ns": "x"}', "[]"])
def test_a_broken_replay_names_its_line(tmp_path: Path, line: str) -> None:
    """File and line, so that it can be mended."""
    file = tmp_path / "lines.jsonl"
    file.write_text(f'{{"ts_ns": 1, "labels": {{}}, "line": ""}}\n{line}\n')

    with pytest.raises(SourceRefused, match=r"lines.jsonl:2: not an entry like"):
        ReplaySource.from_file(file)


def test_a_replay_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(SourceRefused, match="No such file"):
        ReplaySource.from_file(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)]
)
def test_a_packed_replay_is_read(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    """Times may be texts, as Loki writes them; a file that was cut is refused."""
    rows = [{"ts_ns": str(START + n), "labels": {}, "line": "x"} for n in range(999)]
    packed = pack(b"\n".join(orjson.dumps(row) for row in rows))
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    whole.write_bytes(packed)
    cut.write_bytes(packed[:9] if suffix == "gz" else b"no frame")

    assert ReplaySource.from_file(whole).span == (START, START + 999)
    with pytest.raises(SourceRefused, match=f"cannot read .*cut.{suffix}: .+"):
        ReplaySource.from_file(cut)


def test_a_replay_knows_its_span() -> None:
    """From the first entry to just behind the last."""
    assert ReplaySource([entry(9), entry(3)]).span == (START + 3, START + 10)
    assert ReplaySource([]).span == (0, 0)
