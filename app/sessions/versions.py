"""Make one event of the versions in which a source tells of one thing.

A version is an event of its own, stored under its own key; ``id`` among its facts says
what it is a version of, and ``version`` which one. Later versions win, field by field;
what a later one does not say stays.
"""

from typing import Any

import msgspec

from app.model import Event


def merge_versions(events: list[Event]) -> list[Event]:
    """Return *events* with the versions of one thing made one; the rest as it is."""
    versions: dict[tuple[int, str], list[Event]] = {}
    merged: list[Event] = []
    for event in events:
        facts = event.facts
        if facts is not None and "version" in facts:
            versions.setdefault((event.kind, facts["id"]), []).append(event)
        else:
            merged.append(event)
    merged += [_merge(each) for each in versions.values()]
    return merged


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
