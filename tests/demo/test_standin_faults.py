"""The stand-in misbehaves when, and only when, it is told to."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from app.demo.standin import Fault, Limits, StandIn, refusals
from app.model import Entry

T0 = 1_795_161_240_000_000_000
S = 1_000_000_000
LABELS = {"app": "shop"}
LINES = [Entry(T0 + i, f"line {i} " + "x" * 90, LABELS, {}) for i in range(200)]
RANGE = "/loki/api/v1/query_range"


def ask(loki: StandIn, limit: int = 100) -> requests.Response:
    """Ask for lines on a connection of its own."""
    params = {"query": '{app="shop"}', "start": T0, "end": T0 + S, "limit": limit}
    headers = {"Accept-Encoding": "identity"}
    return requests.get(loki.url + RANGE, params=params, headers=headers, timeout=5)


def test_refusals_come_in_their_order_then_stop() -> None:
    """Each status is answered once, with its Retry-After; then all is well."""
    with StandIn(faults=refusals(429, 500, 503, retry_after_s=2)) as loki:
        answers = [ask(loki) for _ in range(4)]

    assert [each.status_code for each in answers] == [429, 500, 503, 200]
    assert [each.headers.get("Retry-After") for each in answers] == ["2"] * 3 + [None]


def test_a_fault_knows_its_paths() -> None:
    """Other paths are answered as ever."""
    with StandIn(faults=[Fault(status=500, only_paths=(RANGE,))]) as loki:
        assert ask(loki).status_code == 500
        assert requests.get(f"{loki.url}/ready", timeout=5).status_code == 200


def test_a_chance_is_the_same_for_the_same_seed() -> None:
    """A probability hits some requests, and the same ones in the next run."""
    faults = [Fault(status=500, probability=0.5, seed=7)]
    runs = []
    for _ in range(2):
        with StandIn(faults=faults) as loki:
            runs.append([ask(loki).status_code for _ in range(20)])

    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_a_delay_is_waited_for() -> None:
    """A late answer is a good one."""
    with StandIn(faults=[Fault(delay_s=0.1, times=1)]) as loki:
        started = time.monotonic()
        answer = ask(loki)
        took_s = time.monotonic() - started

    assert answer.status_code == 200
    assert took_s >= 0.1


def test_a_cut_answer_ends_in_the_middle_of_its_body() -> None:
    """The head promises more than comes; the next request gets it all."""
    with StandIn(faults=[Fault(cut_after_bytes=1000, times=1)]) as loki:
        loki.load(LINES)
        with pytest.raises(requests.exceptions.ChunkedEncodingError) as cut:
            ask(loki)
        whole = ask(loki)

    assert "1000 bytes read" in str(cut.value)
    assert len(whole.json()["data"]["result"][0]["values"]) == 100


def test_a_cut_waits_for_an_answer_that_is_long_enough() -> None:
    """A short answer neither suffers the fault nor uses it up."""
    with StandIn(faults=[Fault(cut_after_bytes=5000, times=1)]) as loki:
        loki.load(LINES)
        assert ask(loki, limit=1).status_code == 200
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            ask(loki, limit=100)


def test_silence_ends_in_a_closed_connection() -> None:
    """An answer that is too long is held, then the connection ends without a byte."""
    limits = Limits(hold_s=0.1)
    with StandIn(limits=limits, faults=[Fault(silent_over_bytes=5000)]) as loki:
        loki.load(LINES)
        started = time.monotonic()
        with pytest.raises(requests.exceptions.ConnectionError):
            ask(loki)
        took_s = time.monotonic() - started

        assert 0.1 <= took_s < 1
        assert ask(loki, limit=1).status_code == 200


def test_too_large_a_message_is_never_answered() -> None:
    """As in a single binary Loki, entries over the bound are held and never sent."""
    limits = Limits(max_message_bytes=10_000, hold_s=0.1)
    with StandIn(limits=limits) as loki:
        loki.load(LINES)
        with pytest.raises(requests.exceptions.ConnectionError):
            ask(loki, limit=100)

        assert ask(loki, limit=60).status_code == 200
        assert loki.counters[RANGE].entries == 60


def test_a_held_request_does_not_delay_the_end() -> None:
    """Closing the stand-in wakes whoever it keeps waiting."""
    loki = StandIn(limits=Limits(max_message_bytes=1, hold_s=30))
    loki.load(LINES)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(ask, loki)
        time.sleep(0.1)
        started = time.monotonic()
        loki.close()

        assert isinstance(held.exception(5), requests.exceptions.ConnectionError)
    assert time.monotonic() - started < 1


def test_an_answer_can_be_some_proxys_page() -> None:
    """A refusal can carry any status, type and text."""
    page = Fault(status=200, body="<html>log in</html>", content_type="text/html")
    with StandIn(faults=[page]) as loki:
        answer = ask(loki)

    assert (answer.status_code, answer.text) == (200, "<html>log in</html>")
    assert answer.headers["Content-Type"] == "text/html"


def test_faults_are_set_over_http() -> None:
    """Another process can set and clear them; nonsense is refused."""
    with StandIn() as loki:
        url = f"{loki.url}/standin/faults"
        set_to = requests.post(url, json=[{"status": 418, "times": 1}], timeout=5)
        refused = [ask(loki).status_code for _ in range(2)]
        bad = requests.post(url, json=[{"status": "x"}], timeout=5)
        requests.delete(url, timeout=5)

        assert set_to.json()[0]["status"] == 418
        assert refused == [418, 200]
        assert bad.status_code == 400
        assert loki.faults == ()


def test_answers_are_paced_one_at_a_time() -> None:
    """Two requests at once take as long as one after the other."""
    with StandIn(limits=Limits(pace_lines_per_s=1000)) as loki:
        loki.load(LINES)
        started = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: ask(loki, limit=100), range(2)))
        took_s = time.monotonic() - started

    assert all(each.status_code == 200 for each in answers)
    assert 0.2 <= took_s < 1


def test_a_connection_serves_many_requests() -> None:
    """Connections are kept, also after a refusal."""
    with StandIn(faults=refusals(500)) as loki:
        connection = http.client.HTTPConnection(loki.url.removeprefix("http://"))
        connection.connect()
        socket = connection.sock
        statuses = []
        for path in ("/ready", "/nope", "/ready"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)

        assert statuses == [500, 404, 200]
        assert connection.sock is socket
        connection.close()
