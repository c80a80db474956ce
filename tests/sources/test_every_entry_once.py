"""Whatever a world looks like and however Loki behaves: every entry, once."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.demo.standin import Fault, StandIn
from app.errors import SourceError, TooDense
from app.model import Entry
from app.sources.loki.answer import before, read_answer
from tests.sources.builders import (
    START,
    Key,
    entry,
    follow,
    http,
    key_of,
    raw_server,
    read_all,
)

TENANTS = count()
LABELS = [
    {"app": "shop"},
    {"app": "shop", "kind": "event"},
    {"app": "shop", "kind": 'say "hi" \\ `there`'},
    {"app": "s.*|(op)+", "kind": "event", "env": "été"},
    {"app": "shop", "env": "a|b"},
]
CHARACTERS = st.sampled_from("aab  =\"`\\\n\t{}|'é日😀\u200b\x00\x7f")
LINES = st.one_of(
    st.sampled_from(["", "a", "aa", "aaa", "aaaa", "ab", "a=1", "a=10", "a=100"]),
    st.text(CHARACTERS, max_size=6),
)
ENTRIES = st.builds(
    Entry,
    ts=st.sampled_from([0, 0, 0, 0, 1, 2, 50, 51, 900, 2_000]).map(START.__add__),
    line=LINES,
    labels=st.sampled_from(LABELS),
    metadata=st.sampled_from([{}, {}, {"trace": "1"}, {"trace": '2"', "user": "u"}]),
)
FAULTS = st.lists(
    st.one_of(
        st.builds(
            Fault,
            status=st.sampled_from([429, 500, 503]),
            probability=st.just(0.2),
            seed=st.integers(0, 99),
        ),
        st.builds(Fault, cut_after_bytes=st.integers(0, 400), times=st.integers(1, 3)),
        st.builds(Fault, silent_over_bytes=st.integers(0, 900), times=st.just(1)),
    ),
    max_size=2,
)
PROPERTY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def settle(loki: StandIn, entries: list[Entry]) -> str:
    """Load *entries* for a tenant of their own."""
    tenant = f"t{next(TENANTS)}"
    loki.load(entries, tenant)
    return tenant


def expected(entries: list[Entry], start: int, end: int) -> list[Key]:
    """List the distinct entries of [start, end)."""
    return sorted({key_of(each) for each in entries if start <= each.ts < end})


@PROPERTY
@given(
    entries=st.lists(ENTRIES, max_size=80),
    limit=st.integers(3, 10),
    prefetch=st.integers(1, 3),
    window=st.tuples(st.integers(-5, 60), st.integers(1, 3_000)),
    faults=FAULTS,
)
def test_every_entry_of_any_window_comes_once(
    shared_loki: StandIn,
    entries: list[Entry],
    limit: int,
    prefetch: int,
    window: tuple[int, int],
    faults: list[Fault],
) -> None:
    """Bursts over the limit, likely lines, faults: each entry once, pages that join."""
    tenant = settle(shared_loki, entries)
    shared_loki.faults = faults
    start, end = START + window[0], START + window[0] + window[1]
    source = follow(
        shared_loki, tenant=tenant, limit=limit, prefetch=prefetch, retries=40
    )

    found = read_all(source, start, end)
    source.close()

    assert sorted(found) == expected(entries, start, end)


@settings(PROPERTY, max_examples=15)
@given(entries=st.lists(ENTRIES, max_size=50))
def test_a_loki_that_mixes_metadata_into_labels_is_read_as_well(
    shared_loki: StandIn, entries: list[Entry]
) -> None:
    """Before Loki 3.0 metadata came as labels, by which no selector divides."""
    tenant = settle(shared_loki, entries)
    shared_loki.faults = ()
    source = follow(shared_loki, tenant=tenant, limit=4, prefetch=1)
    source._idle[0]._session.headers.pop("X-Loki-Response-Encoding-Flags")

    pages = source.pages(START, START + 3_000)
    found = [
        (int(value[0]), value[1], tuple(sorted(stream.labels.items())))
        for page in pages
        for stream in page.streams
        for value in stream.values
    ]
    source.close()

    mixed = {
        (each.ts, each.line, tuple(sorted({**each.labels, **each.metadata}.items())))
        for each in entries
    }
    assert sorted(found) == sorted(mixed)


def test_five_thousand_entries_share_a_nanosecond(shared_loki: StandIn) -> None:
    """A burst ten times the limit takes requests in proportion, not one an entry."""
    burst = [entry(7, f"kind=event id={number} of a burst") for number in range(5_000)]
    tenant = settle(shared_loki, [entry(6), *burst, entry(8)])
    shared_loki.faults = ()
    source = follow(shared_loki, tenant=tenant, limit=500)

    found = read_all(source, START, START + 100)
    source.close()

    assert len(set(found)) == len(found) == 5_002
    assert source.counters.requests < 60


def test_a_stream_out_of_order_loses_nothing() -> None:
    """A stream that somebody merged badly is put in order before it is cut."""
    values = [[str(START + at), str(at)] for at in (9, 3, 7, 1)]
    result = [{"stream": {}, "values": values}]
    body = {"data": {"resultType": "streams", "result": result}}

    answer = read_answer(body, 0, START, START + 10, 4)

    assert (answer.oldest, answer.newest) == (START + 1, START + 9)
    kept = [value[1] for stream in before(answer, START + 9) for value in stream.values]
    assert kept == ["1", "3", "7"]


def test_what_only_unreadable_bytes_tell_apart_is_refused(loki: StandIn) -> None:
    """Entries that no query can tell apart stop the pager; none is skipped."""
    loki.load([entry(0), *[entry(5, "\ufffd" * n) for n in range(1, 9)], entry(9)])
    source = follow(loki, limit=4)
    found: list[int] = []

    with pytest.raises(TooDense, match="cannot be told apart by any query"):
        found.extend(page.end for page in source.pages(START, START + 10))
    source.close()

    assert max(found) == START + 5
    assert source.counters.reasons["too_dense"] == 1


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ('["1","early"]', "outside of the range"),
        (f'["{START + 99}","late"]', "outside of the range"),
        (",".join([f'["{START}","same"]'] * 600), "600 entries though 500 were asked"),
        (",".join([f'["{START}","same"]'] * 500), "cannot be told apart"),
    ],
)
def test_an_answer_that_contradicts_the_question_is_an_error(
    values: str, complaint: str
) -> None:
    """A server that ignores the range or the limit is not believed."""
    result = f'[{{"stream":{{"app":"a"}},"values":[{values}]}}]'
    body = f'{{"data":{{"resultType":"streams","result":{result}}}}}'.encode()
    with raw_server(lambda line, _asked: line.sendall(http(body))) as url:
        source = follow(url)

        with pytest.raises(SourceError, match=complaint):
            list(source.pages(START, START + 99))
        source.close()


def test_a_server_that_ignores_line_filters_is_found_out() -> None:
    """Halves that cannot both be right end in an error, not in a loop."""
    lines = ",".join(f'["{START}","{number}"]' for number in range(500))
    full = f'[{{"stream":{{"app":"a"}},"values":[{lines}]}}]'

    def answer(result: str) -> bytes:
        return http(f'{{"data":{{"resultType":"streams","result":{result}}}}}'.encode())

    with raw_server(
        lambda line, asked: line.sendall(answer("[]" if b"%7C%3D" in asked else full))
    ) as url:
        source = follow(url)

        with pytest.raises(SourceError, match="contradict each other"):
            list(source.pages(START, START + 99))
        source.close()
