"""A receiver gets every sample once, in order, whatever it answers in between."""

import math
import struct
import threading
from email.utils import formatdate
from pathlib import Path

import pytest

from app import clock
from app.export.receiver import ReceiverDown
from app.export.sender import Sender
from app.store.feed_seam import Tally
from tests.export.faulty import Faulty, Got, Reply
from tests.export.recorder import MINUTE, Recorder, receiver, series
from tests.export.sending import HOUR, NOW, Driver, ago

SHOP, BANK = series(app="shop"), series(app="bank")


def test_every_sample_comes_once(recorder: Recorder, faulty: Faulty) -> None:
    """Values come with the times of their slots, and never again."""
    driver = Driver(recorder, faulty.url)
    for minutes in (3, 2, 1):
        recorder.record(ago(minutes), {SHOP: minutes, BANK: 10.0 + minutes})
        driver.run()
        driver.run()

    assert sorted(faulty.samples) == sorted(
        [("shop", ago(each), float(each)) for each in (1, 2, 3)]
        + [("bank", ago(each), 10.0 + each) for each in (1, 2, 3)]
    )


def test_what_a_request_says(recorder: Recorder, faulty: Faulty) -> None:
    """Headers are those of the specification, and the name is a label."""
    recorder.record(ago(1), {SHOP: 1.0})
    Driver(recorder, faulty.url, tenant="web", username="u", password="p").run()

    headers = faulty.taken[0].headers
    assert headers["Content-Encoding"] == "snappy"
    assert headers["Content-Type"] == "application/x-protobuf"
    assert headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert headers["User-Agent"].startswith("skald/")
    assert headers["X-Scope-OrgID"] == "web"
    assert headers["Authorization"] == "Basic dTpw"
    assert faulty.taken[0].series[0][0] == {
        "__name__": "app:sessions:count",
        "app": "shop",
    }


def test_token_file_is_read_anew(
    recorder: Recorder, faulty: Faulty, tmp_path: Path
) -> None:
    """A token may change while the service runs; without one, nothing is lost."""
    token = tmp_path / "token"
    driver = Driver(recorder, faulty.url, token_file=token)
    recorder.record(ago(2), {SHOP: 1.0})
    with pytest.raises(ReceiverDown, match="cannot read the token file"):
        driver.run(0.0)
    for minutes, text in ((2, "one"), (1, "two")):
        recorder.record(ago(minutes), {SHOP: 1.0})
        token.write_text(f"{text}\n")
        driver.run()

    sent = [got.headers["Authorization"] for got in faulty.taken]
    assert sent == ["Bearer one", "Bearer two"]


def test_end_of_a_series_is_a_stale_marker(recorder: Recorder, faulty: Faulty) -> None:
    """The marker has Prometheus' own bits, which are not those of any NaN."""
    recorder.record(ago(2), {SHOP: 1.0, BANK: 2.0})
    recorder.record(ago(1), {SHOP: 3.0})
    Driver(recorder, faulty.url).run()

    ends = [
        (labels["app"], at, value)
        for got in faulty.taken
        for labels, points in got.series
        for at, value in points
        if math.isnan(struct.unpack("<d", value)[0])
    ]
    assert ends == [("bank", ago(1), struct.pack("<Q", 0x7FF0000000000002))]


@pytest.mark.parametrize("status", [500, 503, 429, 302])
def test_what_may_pass_is_asked_again(
    recorder: Recorder, faulty: Faulty, status: int
) -> None:
    """Until it is taken, waiting longer each time; failures are counted and told."""
    refused: Reply = (status, {}, "busy")
    faulty.replies = [refused] * 4
    recorder.record(ago(1), {SHOP: 1.0})
    driver = Driver(recorder, faulty.url)
    driver.run()

    assert faulty.samples == [("shop", ago(1), 1.0)]
    assert len(driver.waits) == 4
    assert driver.waits[3] > driver.waits[0]
    assert driver.status().tally == Tally(sent=1, failures=4)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("7", 7, 7), (formatdate(NOW / 1000 + 9, usegmt=True), 8, 9), ("99999", 300, 300)],
)
def test_retry_after_is_honoured(
    recorder: Recorder, faulty: Faulty, said: str, least: float, most: float
) -> None:
    """Seconds or a date; nobody is left alone for longer than five minutes."""
    faulty.replies = [(429, {"Retry-After": said}, "slow down")]
    recorder.record(ago(1), {SHOP: 1.0})
    driver = Driver(recorder, faulty.url)
    driver.run()

    assert least <= driver.waits[0] <= most
    assert len(faulty.samples) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422])
def test_what_is_refused_is_skipped(
    recorder: Recorder, faulty: Faulty, status: int
) -> None:
    """Other client errors are final: counted, and the next samples have their turn."""
    faulty.replies = [(status, {}, "no")]
    driver = Driver(recorder, faulty.url)
    recorder.record(ago(2), {SHOP: 1.0})
    driver.run()
    recorder.record(ago(1), {SHOP: 2.0})
    driver.run()

    assert faulty.samples == [("shop", ago(1), 2.0)]
    assert driver.status().tally == Tally(sent=1, refused=1)


@pytest.mark.parametrize(
    "reply", [(400, "out of order sample"), (500, "too old sample")]
)
def test_one_bad_sample_spoils_no_other(
    recorder: Recorder, faulty: Faulty, reply: tuple[int, str]
) -> None:
    """Prometheus refuses a request for one sample of it: the others are sent without."""

    def judge(got: Got) -> Reply | None:
        bad = any(value == 13 for _, _, value in got.samples)
        return (reply[0], {}, reply[1]) if bad else None

    faulty.judge = judge
    recorder.record(ago(1), {series(app=f"a{each}"): float(each) for each in range(50)})
    driver = Driver(recorder, faulty.url)
    driver.run()

    assert len(faulty.samples) == 49
    assert driver.status().tally == Tally(sent=49, refused=1)


def test_down_receiver_keeps_the_position(recorder: Recorder, faulty: Faulty) -> None:
    """What could not be sent waits, is counted, and goes when the receiver is back."""
    faulty.judge = lambda _: (503, {}, "down")
    driver = Driver(recorder, faulty.url)
    for minutes in (5, 4, 3):
        recorder.record(ago(minutes), {SHOP: minutes})
    with pytest.raises(ReceiverDown, match="503: down"):
        driver.run(0.0)
    status = driver.status()
    faulty.judge = lambda _: None
    driver.run()

    assert (status.pending, status.oldest) == (3, ago(5))
    assert "503: down" in status.error
    assert [at for _, at, _ in faulty.samples] == [ago(5), ago(4), ago(3)]
    assert (driver.status().pending, driver.status().error) == (0, "")


def test_requests_are_bounded(recorder: Recorder, faulty: Faulty) -> None:
    """No request has more samples, nor more bytes, than is set."""
    for minutes in range(30, 0, -1):
        recorder.record(
            ago(minutes), {series(app=f"a{n}", pad="x" * 100): 1.0 for n in range(20)}
        )
    Driver(recorder, faulty.url, samples=50).run()
    by_samples = [len(got.samples) for got in faulty.taken]
    faulty.taken.clear()
    Driver(recorder, faulty.url, name="other", bytes=4096).run()
    by_bytes = [len(got.samples) for got in faulty.taken]

    assert (max(by_samples), sum(by_samples)) == (50, 600)
    assert (max(by_bytes) < 10, sum(by_bytes)) == (True, 600)


def test_new_receiver_begins_near_now(recorder: Recorder, faulty: Faulty) -> None:
    """History is not poured out on who is new; what is recorded later is sent."""
    for minutes in (500, 200, 30):
        recorder.record(ago(minutes), {SHOP: minutes})
    driver = Driver(recorder, faulty.url, start_ms=60 * MINUTE)
    driver.run()
    recorder.record(ago(400), {BANK: 1.0})
    driver.run()

    assert faulty.samples == [("shop", ago(30), 30.0), ("bank", ago(400), 1.0)]


def test_no_session_or_user_leaves(recorder: Recorder, faulty: Faulty) -> None:
    """Series that say whose they are stay in the index, and are counted."""
    recorder.record(
        ago(1),
        {series(user="u1"): 1.0, series(session_id="s1"): 1.0, SHOP: 2.0},
    )
    driver = Driver(recorder, faulty.url)
    driver.run()

    assert faulty.samples == [("shop", ago(1), 2.0)]
    assert driver.status().tally == Tally(sent=1, barred=2)


def test_two_receivers_have_their_own_positions(
    recorder: Recorder, faulty: Faulty
) -> None:
    """One that is down does not keep the other from anything."""
    recorder.record(ago(1), {SHOP: 1.0})
    with pytest.raises(ReceiverDown, match="cannot be connected"):
        Driver(recorder, "http://127.0.0.1:9/w", name="down").run(0.0)
    Driver(recorder, faulty.url, name="up").run()

    assert faulty.samples == [("shop", ago(1), 1.0)]


def test_stop_ends_a_wait(recorder: Recorder, faulty: Faulty) -> None:
    """Who stops the service does not wait for a receiver that is down."""
    faulty.judge = lambda _: (429, {"Retry-After": "300"}, "")
    recorder.record(ago(1), {SHOP: 1.0})
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    feed = recorder.feed()
    began = clock.monotonic()
    with pytest.raises(ReceiverDown, match="stopped"):
        Sender(receiver(faulty.url), feed, HOUR, stop.wait).run(began + 600)
    feed.close()

    assert clock.monotonic() - began < 5
