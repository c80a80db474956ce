"""Write what was recorded to a receiver, from where it was left, until nothing waits.

The position moves on after the receiver's answer: whatever dies in between sends a
portion twice, which changes nothing at the receiver, and loses none.
"""

import logging
import random
from collections.abc import Callable, Sequence

from app import clock
from app.export.message import encode
from app.export.plan import Plan, divide, make_plan, wire
from app.export.receiver import Answer, Receiver, ReceiverDown
from app.settings import RemoteWriteSettings
from app.store.feed_seam import Change, Feed, Portion, Tally, Told

log = logging.getLogger(__name__)

FIRST_S = 0.03  # Prometheus' own bounds of its backoff
LONGEST_S = 5.0
MAX_DIVISIONS = 32  # of one request, to find what a receiver will not take of it

Wait = Callable[[float], bool]  # seconds → whether to stop instead of going on


class Sender:
    """Writes to one receiver, for one thread.

    Args:
        settings: who it is.
        feed: where samples come from and positions are kept.
        horizon_ms: how far back slots are evaluated again.
        wait: waits, and tells whether to stop.
        now: current time, ms.
    """

    def __init__(
        self,
        settings: RemoteWriteSettings,
        feed: Feed,
        horizon_ms: int,
        wait: Wait,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._horizon = horizon_ms
        self._wait = wait
        self._now = now
        self._receiver = Receiver(settings, now)
        self._failures = 0

    def hang_up(self) -> None:
        """End a request under way, from another thread."""
        self._receiver.hang_up()

    def close(self) -> None:
        """Let go of the connection."""
        self._receiver.close()

    def run(self, deadline: float) -> Tally:
        """Send until nothing waits, or *deadline* (of the monotonic clock) has passed.

        Raises:
            ReceiverDown: it does not take samples now; the position stays.
            StoreError: the position could not be read or kept.
        """
        settings = self._settings
        self._feed.join(settings.name, self._now() - settings.start_ms)
        total = Tally()
        while not self._wait(0):
            portion = self._feed.portion(settings.name, settings.samples, self._horizon)
            if portion is None:
                break
            total = _add(total, self._tell(portion, deadline))
            if clock.monotonic() > deadline:
                break
        return total

    def _tell(self, portion: Portion, deadline: float) -> Tally:
        plan = make_plan(portion, self._oldest())
        sent = refused = 0
        for part in self._requests(plan):
            taken = self._deliver(part, deadline)
            sent += taken
            refused += len(part) - taken
        tally = Tally(sent, refused, plan.late, plan.barred)
        newest = max((each.at for each in plan.fresh), default=0)
        self._feed.commit(
            self._settings.name,
            Told(portion.end, plan.reached, plan.owed, plan.settled, tally, newest),
        )
        return tally

    def _oldest(self) -> int | None:
        back = self._settings.out_of_order_ms
        return self._now() - back if back else None

    def _requests(self, plan: Plan) -> list[list[Change]]:
        most, size = self._settings.samples, self._settings.bytes
        return [
            *divide(plan.fresh, most, size),
            *divide(plan.corrections, most, size),
        ]

    def _deliver(self, changes: list[Change], deadline: float) -> int:
        """Send one request; in halves, where only a part of it is wanted.

        Returns:
            How many samples were taken; the others will never be.

        Raises:
            ReceiverDown: it does not take anything now.
        """
        parts, divisions, taken, refused = [changes], 0, 0, 0
        why = ""
        while parts:
            part = parts.pop()
            answer = self._insist(part, deadline)
            if answer.is_taken:
                taken += len(part)
            elif answer.is_divisible and len(part) > 1 and divisions < MAX_DIVISIONS:
                divisions += 1
                half = len(part) // 2
                parts += [part[half:], part[:half]]
            else:
                refused += len(part)
                why = answer.text
        if refused:
            facts = {"receiver": self._settings.name, "samples": refused, "reason": why}
            log.warning("samples refused", extra=facts)
        return taken

    def _insist(self, changes: Sequence[Change], deadline: float) -> Answer:
        """Send until there is a final answer, waiting longer each time."""
        body = encode(wire(changes))
        while True:
            answer = self._receiver.send(body)
            if answer.is_taken or answer.is_final:
                self._failures = 0
                return answer
            self._feed.note(self._settings.name, answer.text)
            seconds = answer.wait_s or self._backoff()
            self._failures += 1
            if self._wait(seconds):
                raise ReceiverDown(f"stopped while waiting: {answer.text}")
            if clock.monotonic() > deadline:
                raise ReceiverDown(answer.text)

    def _backoff(self) -> float:
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 20))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _add(left: Tally, right: Tally) -> Tally:
    return Tally(
        left.sent + right.sent,
        left.refused + right.refused,
        left.late + right.late,
        left.barred + right.barred,
        left.failures + right.failures,
    )
