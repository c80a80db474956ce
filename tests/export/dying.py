"""Write to a receiver, and die: run as a process of its own.

With ``commit``, between the receiver's answer and the commit of the position.
"""

import os
import signal
import sys
from pathlib import Path

from app import clock
from app.export.sender import Sender
from app.settings import Settings
from app.store import open_feed
from app.store.feed_seam import Feed, Told
from tests.export.recorder import receiver

HOUR = 3_600_000


def main(path: str, url: str, mode: str) -> None:
    """Send what waits, a few samples at a time."""
    feed: Feed = open_feed(Settings(index=Path(path)))
    if mode == "commit":

        def die(_receiver: str, _told: Told) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        feed.commit = die  # type: ignore[method-assign]
    settings = receiver(url, samples=7, start_ms=6 * HOUR)
    sender = Sender(settings, feed, 6 * HOUR, lambda _: False)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    sender.run(clock.monotonic() + 60)


if __name__ == "__main__":
    main(*sys.argv[1:])
