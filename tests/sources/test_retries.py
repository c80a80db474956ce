"""What passes by itself is waited for: longer each time, and not for ever."""

import socket
import threading
import time
from itertools import count

import pytest

from app.demo.standin import Fault, StandIn, refusals
from app.errors import SourceUnavailable
from tests.sources.builders import (
    SECOND,
    START,
    entry,
    follow,
    http,
    keys_of,
    raw_server,
    read_all,
)

EMPTY = b'{"data":{"resultType":"streams","result":[]}}'


def test_passing_trouble_is_waited_out(loki: StandIn) -> None:
    """429 and 5xx are asked again, the waits growing and jittered."""
    loki.load([entry(0)])
    loki.faults = refusals(429, 500, 502, 503, 504)
    waits: list[float] = []
    source = follow(loki, wait=waits.append)

    found = read_all(source, START, START + 10)
    source.close()

    assert len(found) == 1
    assert all(0.5 <= wait / 2**at <= 1 for at, wait in enumerate(waits, -1)), (
        "0.5 s doubled each time, and up to a half less"
    )
    assert source.counters.retries == len(waits) == 5
    assert source.counters.reasons == {"429": 1, "5xx": 4}


def test_retry_after_is_honoured(loki: StandIn) -> None:
    """Loki says when to come back, in seconds."""
    loki.faults = refusals(429, retry_after_s=17)
    waits: list[float] = []
    source = follow(loki, wait=waits.append)

    read_all(source, START, START + 10)
    source.close()

    assert waits == [17.0]


@pytest.mark.parametrize(
    ("header", "wait"),
    [("Fri, 20 Nov 2026 08:00:30 GMT", 30.0), ("soon", 0.0), ("-5", 0.0)],
)
def test_retry_after_may_be_a_date(header: str, wait: float) -> None:
    """A date counts from now; what is neither number nor date counts nothing."""
    answers = count()

    def answer(line: socket.socket, _asked: bytes) -> None:
        ok = http(EMPTY, Retry_After=header)
        busy = ok.replace(b"200 OK", b"429 Busy")
        line.sendall(busy if next(answers) == 0 else ok)

    waits: list[float] = []
    with raw_server(answer) as url:
        source = follow(url, wait=waits.append, now=lambda: 1_795_161_600_000)
        read_all(source, START, START + 10)
        source.close()

    assert [wait or at for at in waits] == ([wait] if wait else waits)
    assert len(waits) == 1


def test_a_long_retry_after_is_left_to_the_caller(loki: StandIn) -> None:
    """Nobody sleeps for an hour inside a run."""
    loki.faults = refusals(429, retry_after_s=3_600)
    source = follow(loki)

    with pytest.raises(SourceUnavailable, match="come back in 3600 s"):
        list(source.pages(START, START + 10))
    source.close()


def test_attempts_are_bounded(loki: StandIn) -> None:
    """After the last attempt the trouble is reported, with its number of attempts."""
    loki.faults = [Fault(status=503, body="overloaded")]
    source = follow(loki, retries=3, prefetch=1)

    with pytest.raises(SourceUnavailable, match=r"overloaded .*after 4 attempts"):
        list(source.pages(START, START + 10))
    source.close()

    assert source.counters.requests == 4


def test_a_loki_that_is_away_says_where_it_was_looked_for() -> None:
    """A closed port names the address and the setting."""
    source = follow("http://127.0.0.1:1", retries=1)

    with pytest.raises(SourceUnavailable, match=r"127.0.0.1:1.*loki.url right"):
        list(source.pages(START, START + 10))
    source.close()


@pytest.mark.parametrize(
    "broken",
    [
        http(b'{"data":{"resultType":"str'),
        http(EMPTY[:20], Content_Length=str(len(EMPTY))),
        http(b"5\r\nabc", Transfer_Encoding="chunked").replace(b"Content-Length", b"X"),
        b"HTTP/1.1 200",
        b"",
    ],
    ids=["json", "length", "chunk", "head", "nothing"],
)
def test_an_answer_that_broke_off_is_asked_for_again(broken: bytes) -> None:
    """However an answer is cut, its part is not taken for the whole."""
    answers = count()

    def answer(line: socket.socket, _asked: bytes) -> None:
        line.sendall(http(EMPTY) if next(answers) else broken)

    with raw_server(answer) as url:
        source = follow(url, prefetch=1)
        found = read_all(source, START, START + 10)
        source.close()

    assert found == []
    assert source.counters.reasons["cut"] == 1


def test_a_slow_answer_times_out_and_is_asked_for_again(loki: StandIn) -> None:
    """Loki may hold a request; we do not wait longer than the setting says."""
    loki.load([entry(0)])
    loki.faults = [Fault(delay_s=1.0, times=1)]
    source = follow(loki, timeout_s=0.1)

    found = read_all(source, START, START + 10)
    source.close()

    assert len(found) == 1
    assert source.counters.reasons["cut"] == 1


def test_stopping_ends_a_wait_at_once(loki: StandIn) -> None:
    """A run that is asked to stop does not sleep out its backoff."""
    loki.faults = refusals(429, retry_after_s=200)
    stop = threading.Event()
    source = follow(loki, stop=stop, wait=stop.wait)
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()

    with pytest.raises(SourceUnavailable, match="stopped while waiting"):
        list(source.pages(START, START + 10))
    source.close()

    assert time.monotonic() - began < 2


def test_stopping_ends_a_request_that_loki_holds(loki: StandIn) -> None:
    """Nor does it wait for an answer."""
    loki.faults = [Fault(delay_s=3)]
    stop = threading.Event()
    source = follow(loki, stop=stop)
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()

    with pytest.raises(SourceUnavailable, match="stopped reading"):
        list(source.pages(START, START + 10))
    source.close()

    assert time.monotonic() - began < 2


def test_closing_ends_a_count_that_loki_holds(loki: StandIn) -> None:
    """A source may be closed from another thread."""
    loki.faults = [Fault(delay_s=3)]
    source = follow(loki)
    threading.Timer(0.1, source.close).start()
    began = time.monotonic()

    with pytest.raises(SourceUnavailable, match="stopped asking"):
        source.counts(START, START + 60 * SECOND, 60)

    assert time.monotonic() - began < 2


def test_pages_before_the_trouble_are_given(loki: StandIn) -> None:
    """What was complete is not lost because later requests fail."""
    loki.load([entry(at) for at in range(100)])
    source = follow(loki, limit=10, retries=0)
    pages = source.pages(START, START + 100)
    first = next(pages)
    loki.faults = [Fault(status=500)]

    rest = []
    with pytest.raises(SourceUnavailable):
        rest.extend(pages)
    source.close()

    found = keys_of([first, *rest])
    assert [key[0] for key in found] == [START + at for at in range(len(found))]
