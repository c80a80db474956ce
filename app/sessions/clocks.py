"""Two clocks: when Loki received an event, and when its reporter says it happened.

Browsers' clocks lie, by minutes or days; Loki's does not. Within one session the lie
is one and the same, so it is taken out once, and the order of events stays.
"""

from bisect import bisect_left

from app.model import Event

TRUSTED_MS = 60_000  # so far off, a clock is taken at its word (delivery takes seconds)
BELIEVED_MS = 4 * 3_600_000 + 900_000  # so far from receipt, an event may still be true


class Clock:
    """What to make of the times of one session.

    Attributes:
        skew: ms to add to what the reporter says; 0 when its clock is trusted.
        clamped: how many events carry a time that cannot be true, or none.
    """

    __slots__ = ("clamped", "skew")

    def __init__(self, skew: int) -> None:
        self.skew = skew
        self.clamped = 0

    def order(self, events: list[Event]) -> list[tuple[int, Event]]:
        """Return the events with their corrected times, ascending.

        What happened within one millisecond is in the order of its receipt: one batch
        holds events in the order in which they were made.

        An event without a time, or with one that is further from its receipt than a
        session lasts, is taken to have happened when it was received.
        """
        skew, timed, clamped = self.skew, [], 0
        for event in events:
            at, received = event.at + skew, event.received // 1000
            if event.at == 0 or not -BELIEVED_MS <= received - at <= BELIEVED_MS:
                clamped += 1
                at = received
            timed.append((at, event.received, event.key, event))
        timed.sort()
        self.clamped = clamped
        return [(at, event) for at, _, _, event in timed]


def clock_of(events: list[Event]) -> Clock:
    """Compare the clocks: the shortest delay of all events says how far off one is.

    The shortest, since nothing arrives before it happens, while what is back-dated (a
    page load, an action) or sent again after an outage has any delay. Of ten events
    one may be forged: it is passed over, unless others say much the same.
    """
    delays = sorted([event.received // 1000 - event.at for event in events if event.at])
    if not delays:
        return Clock(0)
    usual = delays[len(delays) // 10]
    shortest = delays[bisect_left(delays, usual - TRUSTED_MS)]
    return Clock(0 if abs(shortest) <= TRUSTED_MS else shortest)
