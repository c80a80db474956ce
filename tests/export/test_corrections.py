"""What late lines change reaches who takes it, and harms nobody else."""

from collections.abc import Callable

from app.store.feed_seam import Tally
from tests.export.faulty import Faulty
from tests.export.recorder import MINUTE, Recorder, series
from tests.export.sending import HOUR, Driver, ago

SHOP = series(app="shop")


def corrections(faulty: Faulty, make: Callable[[], None]) -> list[tuple[int, float]]:
    """Return what is sent because of *make*."""
    faulty.taken.clear()
    make()
    return [(at, value) for _, at, value in faulty.samples]


def test_corrections_go_to_who_takes_them(recorder: Recorder, faulty: Faulty) -> None:
    """A slot evaluated again is sent again, unless it is too old for the receiver."""
    driver = Driver(recorder, faulty.url, out_of_order_ms=20 * MINUTE)
    for minutes in (30, 10, 5, 4):
        recorder.record(ago(minutes), {SHOP: minutes})
    driver.run()

    def again() -> None:
        for minutes in (30, 10, 5):
            recorder.record(ago(minutes), {SHOP: 77.0}, correction=True)
        driver.run()

    assert corrections(faulty, again) == [(ago(10), 77.0), (ago(5), 77.0)]
    assert driver.status().tally == Tally(sent=6, late=1)


def test_corrections_are_left_out_otherwise(recorder: Recorder, faulty: Faulty) -> None:
    """Who takes no sample out of order is sent none; they are counted."""
    driver = Driver(recorder, faulty.url)
    for minutes in (5, 4):
        recorder.record(ago(minutes), {SHOP: minutes})
    driver.run()
    recorder.record(ago(5), {SHOP: 77.0}, correction=True)
    recorder.record(ago(3), {SHOP: 3.0})
    driver.run()

    assert [at for _, at, _ in faulty.samples] == [ago(5), ago(4), ago(3)]
    assert driver.status().tally == Tally(sent=3, late=1)


def test_newest_slot_is_corrected_when_the_next_is_there(
    recorder: Recorder, faulty: Faulty
) -> None:
    """Prometheus takes no other value for the newest slot of a series, but later."""
    driver = Driver(recorder, faulty.url, out_of_order_ms=HOUR)
    recorder.record(ago(5), {SHOP: 5.0})
    driver.run()
    recorder.record(ago(5), {SHOP: 55.0}, correction=True)
    driver.run()
    before = list(faulty.samples)
    recorder.record(ago(4), {SHOP: 4.0})
    driver.run()
    driver.run()

    assert before == [("shop", ago(5), 5.0)]
    assert faulty.samples[1:] == [("shop", ago(4), 4.0), ("shop", ago(5), 55.0)]


def test_correction_of_what_waits_is_no_correction(
    recorder: Recorder, faulty: Faulty
) -> None:
    """A slot corrected before it was sent comes in order, also to the strictest."""
    for minutes in (5, 4, 3):
        recorder.record(ago(minutes), {SHOP: minutes})
    recorder.record(ago(5), {SHOP: 55.0}, correction=True)
    driver = Driver(recorder, faulty.url, samples=2)
    driver.run()

    assert faulty.samples[:3] == [
        ("shop", ago(5), 55.0),
        ("shop", ago(4), 4.0),
        ("shop", ago(3), 3.0),
    ]
