"""Keep the figures of whole hours and days up to date, a bucket at a time."""

import threading
from collections.abc import Callable

from app import clock
from app.store.seam import Writer


def roll_up(
    store: Writer,
    bounce: str,
    go_on: Callable[[], bool],
    stop: threading.Event,
    pause_s: float = 0.02,
) -> int:
    """Recompute hours and days that changed, newest first; return how many.

    Each is a transaction of its own, with a pause after it, so that indexing goes on.

    Args:
        store: the index.
        bounce: which definition.
        go_on: says whether there is time for another.
        stop: ends it.
        pause_s: seconds between two.
    """
    done = 0
    while go_on() and not stop.is_set():
        if not store.roll_up(clock.now(), bounce):
            break
        done += 1
        stop.wait(pause_s)
    return done
