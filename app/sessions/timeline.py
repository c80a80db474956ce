"""Put the events of a session in order, once, for all who look at them."""

from app.model import Event, Kind
from app.sessions.clocks import clock_of

MINUTE = 60_000  # ms
NOTHING: "list[Moment]" = []

# Lines of these kinds are back-dated, or made at another moment than they tell of.
WEAK = frozenset({int(Kind.VITAL), int(Kind.RESOURCE), int(Kind.SPAN)})

Moment = tuple[int, Event]  # (corrected time, ms; event)


class Timeline:
    """The events of one session in order, and what one walk along them shows.

    Attributes:
        start, end: of the session, UTC epoch ms by Loki's clock.
        skew: ms that were added to the reporter's times; 0 when its clock is trusted.
        clamped: events whose own time could not be believed.
        moments: all events, ascending.
        strong: those that tell where the visitor was at their time.
        contexts: key → when it was first in force, in that order.
        recent: keys of contexts by when they were last in force.
        minutes: since the epoch, in which there was an event, ascending.
    """

    __slots__ = (
        "_kinds",
        "clamped",
        "contexts",
        "end",
        "minutes",
        "moments",
        "recent",
        "skew",
        "start",
        "strong",
    )

    def __init__(self, events: list[Event]) -> None:
        clock = clock_of(events)
        self.moments: list[Moment] = clock.order(events)
        self.skew, self.clamped = clock.skew, clock.clamped
        self.start, self.end = self.moments[0][0], self.moments[-1][0]
        self._kinds: dict[int, list[Moment]] = {}
        self.strong: list[Moment] = []
        self.contexts: dict[int, int] = {}
        self.recent: list[int] = []
        self.minutes: list[int] = []
        self._walk()

    def of(self, kind: int) -> list[Moment]:
        """Return the events of that kind, ascending."""
        return self._kinds.get(kind, NOTHING)

    def _walk(self) -> None:
        kinds, strong, minutes = self._kinds, self.strong, self.minutes
        first, last = self.contexts, dict[int, None]()
        context, minute_ends = -1, -1
        for moment in self.moments:
            at, event = moment
            kind = event.kind
            if kind in kinds:
                kinds[kind].append(moment)
            else:
                kinds[kind] = [moment]
            if kind not in WEAK:
                strong.append(moment)
            if event.context != context:
                context = event.context
                first.setdefault(context, at)
                last.pop(context, None)
                last[context] = None
            if at >= minute_ends:
                minutes.append(at // MINUTE)
                minute_ends = (at // MINUTE + 1) * MINUTE
        self.recent = list(last)
