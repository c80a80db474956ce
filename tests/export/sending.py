"""Runs senders against a receiver, each that of a new process."""

import time

from app import clock
from app.export.sender import Sender
from app.store.feed_seam import ReceiverStatus, Tally
from tests.export.recorder import MINUTE, Recorder, receiver

HOUR = 60 * MINUTE
NOW = clock.now() // MINUTE * MINUTE


class Driver:
    """Runs senders, each that of a new process."""

    def __init__(self, recorder: Recorder, url: str, **more: object) -> None:
        self._recorder = recorder
        self._settings = receiver(url, **more)
        self.waits: list[float] = []

    def run(self, patience_s: float = 5.0) -> Tally:
        """Send until nothing waits."""
        feed = self._recorder.feed()
        sender = Sender(self._settings, feed, 6 * HOUR, self._wait, lambda: NOW)
        try:
            return sender.run(clock.monotonic() + patience_s)
        finally:
            sender.close()
            feed.close()

    def _wait(self, seconds: float) -> bool:
        if seconds:
            self.waits.append(seconds)
            time.sleep(min(seconds, 0.01))
        return False

    def status(self) -> ReceiverStatus:
        """Return how the receiver fares, as the index tells."""
        reader = self._recorder.reader()
        try:
            return reader.receivers()[0]
        finally:
            reader.close()


def ago(minutes: int) -> int:
    """Return a slot."""
    return NOW - minutes * MINUTE
