"""Let go of what is too old, a little at a time, and give its space back."""

import threading

from app.store.seam import Writer


def expire(store: Writer, before: int, stop: threading.Event | None = None) -> int:
    """Delete sessions that ended before *before* (ms); return how many.

    Each transaction deletes a bounded number, so that indexing goes on in between.
    """
    total = 0
    while not (stop and stop.is_set()):
        gone = store.expire(before)
        total += gone
        if not gone:
            break
    while not (stop and stop.is_set()) and store.tidy():
        pass
    return total
