"""Let go of what is too old, a little at a time, and give its space back."""

import threading

from app.store.seam import Writer

ORPHANS_MS = 24 * 3_600_000  # so long a trace waits for its session


def expire(
    store: Writer,
    before: int,
    stop: threading.Event | None = None,
    pause_s: float = 0.02,
) -> int:
    """Delete sessions that ended before *before* (ms); return how many.

    Each transaction deletes a few, with a pause after it, so that indexing goes on.
    """
    stop = stop or threading.Event()
    total = 0
    while not stop.is_set():
        gone = store.expire(before)
        total += gone
        if not gone:
            break
        stop.wait(pause_s)
    while not stop.is_set() and store.tidy():
        stop.wait(pause_s)
    return total


def expire_orphans(store: Writer, now: int, stop: threading.Event | None = None) -> int:
    """Let go of traces that no session came for; return how many.

    Their events are counted as dropped, by the reason ``no_session``.
    """
    total = 0
    while not (stop and stop.is_set()):
        gone = store.expire_strands(now - ORPHANS_MS)
        total += gone
        if not gone:
            break
    return total
