"""Make one event of the versions in which a source tells of one thing.

A version is an event of its own, stored under its own key; ``id`` among its facts says
what it is a version of, and ``version`` which one. Later versions win, field by field;
what a later one does not say stays.
"""

from typing import Any

import msgspec

from app.model import Event

Thing = tuple[int, str]  # kind of event, id


def merge_versions(events: list[Event]) -> list[Event]:
    """Return *events* with the versions of one thing made one; the rest as it is."""
    versions, merged = _versions(events)
    merged += [_merge(each) for each in versions.values()]
    return merged


def contexts_of_things(events: list[Event]) -> dict[Thing, list[int]]:
    """Return the contexts of the versions of each thing, the newest first.

    A later version may leave out what an earlier one said of who and where.
    """
    return {
        thing: [event.context for event in sorted(each, key=_age, reverse=True)]
        for thing, each in _versions(events)[0].items()
    }


def thing_of(event: Event) -> Thing | None:
    """Return what *event* is a version of, if it is one."""
    facts = event.facts
    if facts is None or "version" not in facts:
        return None
    return event.kind, facts["id"]


def _versions(events: list[Event]) -> tuple[dict[Thing, list[Event]], list[Event]]:
    """Return the versions of each thing, and what is no version."""
    versions: dict[Thing, list[Event]] = {}
    rest: list[Event] = []
    for event in events:
        thing = thing_of(event)
        (rest if thing is None else versions.setdefault(thing, [])).append(event)
    return versions, rest


def _merge(events: list[Event]) -> Event:
    """Lay the versions of one thing over each other, the oldest first."""
    if len(events) == 1:
        return events[0]
    events = sorted(events, key=_age)
    facts: dict[str, Any] = {}
    for event in events:
        facts |= {k: v for k, v in (event.facts or {}).items() if v is not None}
    said = [event for event in events if event.value is not None]
    dated = [event.at for event in events if event.at]
    return msgspec.structs.replace(
        events[-1],
        key=min(event.key for event in events),
        received=min(event.received for event in events),
        at=min(dated, default=0),
        value=said[-1].value if said else None,
        name=next((e.name for e in reversed(events) if e.name), ""),
        facts=facts,
    )


def _age(event: Event) -> tuple[float, int, int]:
    facts = event.facts or {}
    return facts["version"], event.received, event.key
