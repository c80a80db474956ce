"""Write recorded samples to receivers on time, each in a thread of its own.

A receiver that is slow or down keeps its own thread waiting and no other.
"""

import threading
from collections.abc import Callable
from contextlib import closing

from app import clock
from app.export.sender import Sender
from app.settings import RemoteWriteSettings, Settings
from app.store import open_feed

SHARE = 0.9  # of its interval that a run may last: it ends before the next is due

Run = Callable[[], None]


class Receivers:
    """Everybody that this process writes to.

    Args:
        settings: who they are.
        stop: ends every wait at once.
        leads: set while this process may write.

    Raises:
        StoreError: the index cannot be opened.
    """

    def __init__(
        self, settings: Settings, stop: threading.Event, leads: threading.Event
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._leads = leads
        self._feeds = [open_feed(settings) for _ in settings.remote_write]
        self._senders = [
            Sender(each, feed, settings.rule_horizon_ms, self._wait)
            for each, feed in zip(settings.remote_write, self._feeds, strict=True)
        ]

    def jobs(self) -> list[tuple[str, RemoteWriteSettings, Run]]:
        """Return the name, the settings and the work of each job."""
        names = [each.name for each in self._settings.remote_write]
        with closing(open_feed(self._settings)) as feed:
            feed.keep_only(names)
        return [
            (f"write {each.name}", each, _runner(sender, each.interval_ms / 1_000))
            for each, sender in zip(
                self._settings.remote_write, self._senders, strict=True
            )
        ]

    def hang_up(self) -> None:
        """End requests under way: whoever stops does not wait for receivers."""
        for sender in self._senders:
            sender.hang_up()

    def close(self) -> None:
        """Let go of connections and of the index."""
        for sender in self._senders:
            sender.close()
        for feed in self._feeds:
            feed.close()

    def _wait(self, seconds: float) -> bool:
        """Wait, and tell whether to stop."""
        return self._stop.wait(seconds) or not self._leads.is_set()


def _runner(sender: Sender, interval_s: float) -> Run:
    def run() -> None:
        sender.run(clock.monotonic() + SHARE * interval_s)

    return run
