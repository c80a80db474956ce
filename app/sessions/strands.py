"""Tell which session a trace belongs to: a pure function of the set of its events."""

from collections.abc import Iterable

from app.model import Event, Kind

TRACE = int(Kind.TRACE)


def strand_of(event: Event) -> str:
    """Return the id of the strand that an event belongs to: of its trace."""
    return str((event.facts or {}).get("trace", ""))


def session_of(events: Iterable[Event]) -> str:
    """Return the id of the session that the strand of *events* belongs to; "" = none.

    The trace itself says it, its newest version; where it does not, the newest of its
    observations that does.
    """
    best: tuple[bool, float, int, int] | None = None
    found = ""
    for event in events:
        facts = event.facts or {}
        if "session" in facts:
            age = (
                event.kind == TRACE,
                float(facts["version"]),
                event.received,
                event.key,
            )
            if best is None or age > best:
                best, found = age, facts["session"]
    return found
