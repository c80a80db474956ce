"""Put the events of a session in order, once, for all who look at them."""

from typing import Any, Final

from msgspec.structs import astuple

from app.model import Event, Kind
from app.sessions.clocks import BELIEVED_MS, skew_of

MINUTE: Final = 60_000  # ms

_LIFECYCLE: Final = int(Kind.LIFECYCLE)
_LOAD: Final = int(Kind.LOAD)
# Lines of these kinds are back-dated, or made at another moment than they tell of.
_VITAL: Final = int(Kind.VITAL)
_RESOURCE: Final = int(Kind.RESOURCE)
_SPAN: Final = int(Kind.SPAN)

Moment = tuple[int, Event]  # (corrected time, ms; event)
# What happened: its corrected time, when it was received, key, kind, key of its context,
# the event itself, its name, value, facts. Sorted, such are in the order in which they
# happened; of all there is, a tuple is the quickest to make and to read.
Seen = tuple[Any, ...]


class Timeline:
    """The events of one session in order, and what one walk along them shows.

    What happened within one millisecond is in the order of its receipt: one batch holds
    events in the order in which they were made. An event without a time, or with one
    that is further from its receipt than a session lasts, is taken to have happened
    when it was received.

    Attributes:
        start, end: of the session, UTC epoch ms by Loki's clock.
        skew: ms that were added to the reporter's times; 0 when its clock is trusted.
        clamped: events whose own time could not be believed.
        seen: all events, ascending.
        strong: those that tell where the visitor was at their time.
        begins: those that load a document, or begin, resume or extend the session.
        contexts: key → when it was first in force, in that order.
        recent: keys of contexts by when they were last in force.
        minutes: since the epoch, in which there was an event, ascending.
    """

    __slots__ = (
        "_kinds",
        "begins",
        "clamped",
        "contexts",
        "end",
        "minutes",
        "recent",
        "seen",
        "skew",
        "start",
        "strong",
    )

    def __init__(self, events: list[Event]) -> None:
        self.skew = 0
        self.clamped = 0
        self.seen: list[Seen] = []
        self._order(events)
        self.start: int = self.seen[0][0]
        self.end: int = self.seen[-1][0]
        self._kinds: dict[int, list[Seen]] = {}
        self.strong: list[Seen] = []
        self.begins: list[Seen] = []
        self.contexts: dict[int, int] = {}
        self.recent: list[int] = []
        self.minutes: list[int] = []
        self._walk()

    @property
    def moments(self) -> list[Moment]:
        """All events with their corrected times, ascending."""
        return [(each[0], each[5]) for each in self.seen]

    def of(self, kind: int) -> list[Seen]:
        """Return the events of that kind, ascending."""
        return self._kinds.get(kind, [])

    def _order(self, events: list[Event]) -> None:
        fields_of = astuple  # a name of the function's own is looked up at no cost
        told: list[tuple[Any, ...]] = [fields_of(event) for event in events]
        delays: list[int] = []
        for fields in told:
            at: int = fields[2]
            if at:
                got: int = fields[1]
                delays.append(got // 1000 - at)
        skew = skew_of(delays)
        clamped = 0
        seen = self.seen
        for index, fields in enumerate(told):
            key, received, said_at, kind, context, name, value, facts = fields
            got = received
            got //= 1000
            said: int = said_at
            at = said + skew
            if said == 0 or not -BELIEVED_MS <= got - at <= BELIEVED_MS:
                clamped += 1
                at = got
            event = events[index]
            seen.append((at, received, key, kind, context, event, name, value, facts))
        seen.sort()
        self.skew, self.clamped = skew, clamped

    def _walk(self) -> None:
        kinds, strong, minutes = self._kinds, self.strong, self.minutes
        first, last = self.contexts, dict[int, None]()
        context, minute_ends = -1, -1
        same, so_far = list[Seen](), -1  # events of the kind that came last
        for each in self.seen:
            at: int = each[0]
            kind: int = each[3]
            if kind != so_far:
                so_far = kind
                same = kinds.setdefault(kind, [])
            same.append(each)
            if kind != _VITAL and kind != _RESOURCE and kind != _SPAN:  # noqa: PLR1714 - quicker
                strong.append(each)
                if kind in (_LOAD, _LIFECYCLE):
                    self.begins.append(each)
            if each[4] != context:
                context = each[4]
                first.setdefault(context, at)
                last.pop(context, None)
                last[context] = None
            if at >= minute_ends:
                minutes.append(at // MINUTE)
                minute_ends = (at // MINUTE + 1) * MINUTE
        self.recent = list(last)
