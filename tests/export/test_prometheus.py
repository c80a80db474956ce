"""A real Prometheus holds what Skald recorded, by scrape and by remote write."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.export.receiver import ReceiverDown
from tests.export.prometheus import Prometheus, Samples, eventually, free_port, serving
from tests.export.recorder import MINUTE, Recorder, series
from tests.export.sending import HOUR, NOW, Driver, ago

NAME = "app:sessions:count"
SHOP, BANK = series(app="shop"), series(app="bank")


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    """Return a Prometheus that scrapes nobody."""
    server = Prometheus(tmp_path).start()
    yield server
    server.kill()


@pytest.mark.slow
def test_scrape_holds_the_latest_values(recorder: Recorder, tmp_path: Path) -> None:
    """A plain scrape gets the values that hold now, and sees when a series ends."""
    recorder.record(now() - MINUTE, {SHOP: 3.5, BANK: 2.0})
    with serving(recorder.settings) as target:
        server = Prometheus(tmp_path, target).start()
        try:
            query = "app_sessions_count"
            found = eventually(lambda: server.ask(query, now()))
            recorder.record(now(), {SHOP: 4.5})
            after = eventually(
                lambda: [each for each in [server.ask(query, now())] if len(each) == 1]
            )
        finally:
            server.kill()

    values = {each["metric"]["app"]: float(each["value"][1]) for each in found}
    assert values == {"shop": 3.5, "bank": 2.0}
    assert [float(each["value"][1]) for each in after[0]] == [4.5]


@pytest.mark.slow
def test_both_ways_hold_the_same(recorder: Recorder, tmp_path: Path) -> None:
    """What was scraped is what was written, also when either side was started anew."""
    port = free_port()
    server = Prometheus(tmp_path, f"127.0.0.1:{port}").start()
    driver = Driver(recorder, server.write_url)

    def both_are(values: dict[str, float]) -> bool:
        scraped = by_app(server, "app_sessions_count", "skald")
        return scraped == by_app(server, NAME) == values

    for value in (1.25, 2.5):
        recorder.record(now(), {SHOP: value, BANK: -value})
        driver.run()
        with serving(recorder.settings, port):
            eventually(lambda value=value: both_are({"shop": value, "bank": -value}))
        server.kill()
        server.start()
        assert both_are({"shop": value, "bank": -value})
    server.kill()


def by_app(server: Prometheus, name: str, job: str = "") -> dict[str, float]:
    """Return the values that hold now."""
    found = server.ask(f'{{__name__="{name}",job="{job}"}}', now())
    return {each["metric"]["app"]: float(each["value"][1]) for each in found}


def now() -> int:
    """Return the time, ms."""
    return time.time_ns() // 1_000_000


def fill(recorder: Recorder, first: int = 60, last: int = 0) -> Samples:
    """Record two series, slot by slot; return what a receiver must hold."""
    expected: Samples = {"shop": [], "bank": []}
    for minutes in range(first, last, -1):
        values = {SHOP: minutes / 3, BANK: minutes * 1e6}
        recorder.record(ago(minutes), values)
        expected["shop"].append((ago(minutes), minutes / 3))
        expected["bank"].append((ago(minutes), minutes * 1e6))
    return expected


def test_written_samples_are_read_back(
    recorder: Recorder, prometheus: Prometheus
) -> None:
    """The same values at the same times, and the end of a series is its end."""
    driver = Driver(recorder, prometheus.write_url)
    expected = fill(recorder, 30, 5)
    recorder.record(ago(5), {SHOP: float("inf")})
    expected["shop"].append((ago(5), float("inf")))
    driver.run()

    assert prometheus.samples(NAME, NOW) == expected
    ended = prometheus.ask(f'{{__name__="{NAME}"}}', ago(5) + 1)
    assert [each["metric"]["app"] for each in ended] == ["shop"]
    assert driver.status().tally.refused == 0


def test_prometheus_may_be_restarted(
    recorder: Recorder, prometheus: Prometheus
) -> None:
    """What is recorded while it is away comes when it is back; kill -9 loses nothing."""
    driver = Driver(recorder, prometheus.write_url)
    expected = fill(recorder, 50, 30)
    driver.run()
    prometheus.kill()
    more = fill(recorder, 30, 10)
    with pytest.raises(ReceiverDown):
        driver.run(0.0)
    prometheus.start()
    driver.run()
    prometheus.kill()
    prometheus.start()

    expected = {app: expected[app] + more[app] for app in expected}
    assert prometheus.samples(NAME, NOW) == expected
    assert driver.status().tally.sent == 80


def test_skald_may_die_before_it_remembers(
    recorder: Recorder, prometheus: Prometheus
) -> None:
    """What was sent and not noted is sent again, which changes nothing."""
    expected = fill(recorder, 20)
    for _ in range(3):
        assert run(recorder, prometheus.write_url, "commit").wait() == -9
    driver = Driver(recorder, prometheus.write_url)
    driver.run()

    assert prometheus.samples(NAME, NOW) == expected
    assert driver.status().tally.refused == 0


@pytest.mark.slow
def test_skald_may_die_at_any_time(recorder: Recorder, prometheus: Prometheus) -> None:
    """Killed at random moments, everything arrives, and nothing is refused."""
    dice = random.Random(4)
    expected = fill(recorder, 50)
    died = 0
    for _ in range(6):
        child = run(recorder, prometheus.write_url, "send")
        time.sleep(dice.random() * 0.08)
        child.kill()
        died += child.wait() == -9
    driver = Driver(recorder, prometheus.write_url)
    driver.run()

    assert died
    assert prometheus.samples(NAME, NOW) == expected
    assert driver.status().tally.refused == 0


def run(recorder: Recorder, url: str, mode: str) -> subprocess.Popen[str]:
    """Start a process that sends, and wait until it is about to."""
    index = recorder.settings.index
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.export.dying", str(index), url, mode],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    child.stdout.close()
    return child


def test_corrections_replace_what_it_holds(
    recorder: Recorder, prometheus: Prometheus
) -> None:
    """With an out-of-order window, late lines change what Prometheus answers."""
    driver = Driver(recorder, prometheus.write_url, out_of_order_ms=5 * HOUR)
    expected = fill(recorder, 30, 10)
    driver.run()
    for minutes in (25, 20, 11):
        recorder.record(ago(minutes), {SHOP: 7.5, BANK: 1.5}, correction=True)
    driver.run()
    more = fill(recorder, 10, 9)
    driver.run()

    held = prometheus.samples(NAME, NOW)
    for app, value in (("shop", 7.5), ("bank", 1.5)):
        changed = dict(expected[app] + more[app])
        changed |= {ago(25): value, ago(20): value, ago(11): value}
        assert held[app] == sorted(changed.items())
    assert driver.status().tally.refused == 0


def test_corrections_do_no_harm_without_a_window(
    recorder: Recorder, prometheus: Prometheus
) -> None:
    """Who leaves corrections out has every slot, as it was first."""
    driver = Driver(recorder, prometheus.write_url)
    expected = fill(recorder, 30, 10)
    driver.run()
    recorder.record(ago(25), {SHOP: 7.5, BANK: 1.5}, correction=True)
    more = fill(recorder, 10)
    driver.run()

    expected = {app: expected[app] + more[app] for app in expected}
    assert prometheus.samples(NAME, NOW) == expected
    assert driver.status().tally.late == 2


def test_too_old_samples_do_not_block(
    recorder: Recorder, prometheus: Prometheus
) -> None:
    """Prometheus 2.42 says 500 to what it never takes; what is newer has its turn."""
    driver = Driver(recorder, prometheus.write_url, start_ms=100 * HOUR)
    recorder.record(ago(1), {BANK: 1.0})
    driver.run()
    recorder.record(ago(9 * 60), {SHOP: 1.0})
    recorder.record(ago(0), {SHOP: 2.0})
    driver.run()

    assert prometheus.samples(NAME, NOW + 1)["shop"] == [(NOW, 2.0)]
    assert driver.status().tally.refused == 1
