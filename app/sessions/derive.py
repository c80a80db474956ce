"""Derive a session in the manner of its source."""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from app.model import Context, Event, Kind, Session, SessionKey
from app.sessions.fold import fold
from app.sessions.timeline import Timeline
from app.sessions.told import Manner, fold_told, in_order, with_all_said
from app.sessions.traced import fold_traced

_DAY = 86_400_000
MANNERS = {
    "openobserve": Manner(
        # applications on phones keep what they cannot send for a day
        past_ms=2 * _DAY,
        lasts=True,
        dwell="spent",
        uncounted=frozenset({int(Kind.LOG), int(Kind.REPLAY)}),
    ),
    "clm": Manner(past_ms=7 * _DAY, dwell="exit", newcomer=True),
    "mapped": Manner(past_ms=7 * _DAY, dwell="spent"),
    "langfuse": Manner(past_ms=1 << 53),  # may be imported, years later
}

Fold = Callable[..., Session]
_FOLDS: dict[str, Fold] = {
    name: partial(fold_told, manner) for name, manner in MANNERS.items()
}
_FOLDS["langfuse"] = fold_traced


def derive(
    key: SessionKey,
    events: list[Event],
    contexts: Mapping[int, Context],
    *,
    is_cut: bool = False,
    shape: str = "",
) -> Session:
    """Derive the session *key* from all of its *events*: in *shape*, of its format."""
    told = _FOLDS.get(shape) if shape else None
    if told is None:
        return fold(key, events, contexts, is_cut=is_cut)
    return told(key, events, contexts, is_cut=is_cut)


def told_once(
    events: list[Event], contexts: Mapping[int, Context], shape: str = ""
) -> tuple[list[tuple[int, Event]], Mapping[int, Context]]:
    """Return (time, event) in order, of all versions of a thing one; and the contexts."""
    if shape in MANNERS:
        events, contexts = with_all_said(events, contexts)
        events = [_timed(each) for each in events]
    return ordered(events, shape), contexts


def _timed(event: Event) -> Event:
    """Say of a step of a trace how long it took, once its begin and its end are known."""
    facts = event.facts or {}
    if event.kind != Kind.OBSERVATION or "start" not in facts or "end" not in facts:
        return event
    took = max(0, facts["end"] - facts["start"])
    return msgspec.structs.replace(event, value=float(took))


def ordered(events: list[Event], shape: str = "") -> list[tuple[int, Event]]:
    """Return (time, event) in the order in which ``derive`` sees them."""
    manner = MANNERS.get(shape)
    return in_order(events, manner)[0] if manner else Timeline(events).moments
