"""Receivers are written to on time, and a slow one keeps nobody waiting."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from app import clock
from app.jobs.scheduler import Jobs
from tests.export.faulty import Faulty, Got, Reply
from tests.export.prometheus import eventually
from tests.export.recorder import Recorder, receiver, series

SHOP = series(app="shop")


def test_slow_receiver_keeps_nobody_waiting(recorder: Recorder, faulty: Faulty) -> None:
    """Each has a thread of its own; to stop does not wait for an answer either."""
    release = threading.Event()

    def hold(_got: Got) -> Reply | None:
        release.wait(30)
        return None

    with Faulty(judge=hold) as slow:
        jobs = _jobs(recorder, quick=faulty.url, slow=slow.url)
        recorder.record(clock.now(), {SHOP: 1.0})
        jobs.start()
        eventually(lambda: slow.seen and faulty.samples)
        recorder.record(clock.now(), {series(app="bank"): 2.0}, rule="new")
        eventually(lambda: 2.0 in [value for _, _, value in faulty.samples])
        began = time.monotonic()
        jobs.stop()
        took = time.monotonic() - began
        release.set()

    assert took < 5
    assert _pending(recorder)["slow"]


def test_receiver_that_is_gone_is_forgotten(recorder: Recorder, faulty: Faulty) -> None:
    """Who is not configured any more is not told of in the metrics either."""
    for names in ({"old": faulty.url, "kept": faulty.url}, {"kept": faulty.url}):
        jobs = _jobs(recorder, **names)
        jobs.start()
        eventually(_are_known(recorder, len(names)))
        jobs.stop()

    assert _pending(recorder) == {"kept": 0}


def _jobs(recorder: Recorder, **urls: str) -> Jobs:
    receivers = tuple(
        receiver(url, name=name, interval_ms=100) for name, url in urls.items()
    )
    return Jobs(
        replace(
            recorder.settings, sources=(), shipped_rules=False, remote_write=receivers
        )
    )


def _pending(recorder: Recorder) -> dict[str, int]:
    reader = recorder.reader()
    try:
        return {each.name: each.pending for each in reader.receivers()}
    finally:
        reader.close()


def _are_known(recorder: Recorder, count: int) -> Callable[[], bool]:
    return lambda: len(_pending(recorder)) == count
