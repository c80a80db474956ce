"""Derive a session from the set of its events, and from nothing else.

The order in which events came, how often, and in how many pieces makes no difference:
``fold(key, events)`` is a pure function of the set.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

from msgspec.structs import astuple

from app.events.clean import mask_numbers
from app.events.decoder import MAX_NAME
from app.model import (
    Action,
    Context,
    Error,
    Event,
    Figures,
    Kind,
    Session,
    SessionKey,
    Status,
)
from app.sessions.timeline import Seen, Timeline
from app.sessions.views import find_views

import xxhash  # isort: skip

MAX_ATTRIBUTES: Final = 64  # of one session
MAX_MINUTES: Final = 1_440  # of activity remembered for one session
MAX_LISTED: Final = 1_000  # views, actions, errors listed for one session

_ACTION: Final = int(Kind.ACTION)
_ERROR: Final = int(Kind.ERROR)
_LOG: Final = int(Kind.LOG)
_RESOURCE: Final = int(Kind.RESOURCE)
_SPAN: Final = int(Kind.SPAN)


def merge(known: Iterable[Event], new: Iterable[Event]) -> list[Event]:
    """Unite two sets of events, by key; of the same event the first received stays.

    Returns:
        Events in no order that means anything, but the same for the same sets.
    """
    events = {event.key: event for event in known}
    for event in new:
        twin = events.get(event.key)
        if twin is None or event.received < twin.received:
            events[event.key] = event
    return list(events.values())


def cut(events: list[Event], limit: int) -> tuple[list[Event], bool]:
    """Keep at most *limit* events, the first received; say whether any was cut.

    What stays depends on the set alone: ties go to the smaller key.
    """
    if len(events) <= limit:
        return events, False
    events.sort(key=attrgetter("received", "key"))
    return events[:limit], True


def fold(
    key: SessionKey,
    events: list[Event],
    contexts: Mapping[int, Context],
    *,
    is_cut: bool = False,
) -> Session:
    """Derive the session *key* from all of its *events* (at least one).

    1. Correct the clock of who reported them, and put them in order (``timeline``).
    2. Find the views (``views``), list and count the rest.
    3. Of each context field keep the newest that says something.
    """
    timeline = Timeline(events)
    views = find_views(timeline, contexts)
    context, users, attributes = _describe(timeline, contexts)
    actions = _list_actions(timeline.of(_ACTION), contexts)
    failures = timeline.of(_ERROR)
    errors = _list_errors(failures, contexts)
    crashes = _crashes(failures)
    return Session(
        key=key,
        start=timeline.start,
        end=timeline.end,
        context=context,
        entry=views[0].page if views else "",
        exit=views[-1].page if views else "",
        status=_status(failures, crashes),
        events=len(events),
        view_count=len(views),
        action_count=len(actions),
        errors=len(errors),
        log_errors=_log_errors(timeline.of(_LOG)),
        failed_requests=_failed_requests(timeline),
        resources=len(timeline.of(_RESOURCE)),
        skew=timeline.skew,
        clamped=timeline.clamped,
        is_cut=is_cut,
        views=tuple(views[:MAX_LISTED]),
        actions=tuple(actions[:MAX_LISTED]),
        error_list=tuple(errors[:MAX_LISTED]),
        users=users,
        attributes=attributes,
        minutes=tuple(timeline.minutes[:MAX_MINUTES]),
        figures=Figures(crashes=crashes) if crashes else _NONE,
    )


def _list_actions(actions: list[Seen], contexts: Mapping[int, Context]) -> list[Action]:
    return [Action(each[0], each[6], contexts[each[4]].page) for each in actions]


def _list_errors(errors: list[Seen], contexts: Mapping[int, Context]) -> list[Error]:
    return [error_of(each[0], each[5], contexts[each[4]].page) for each in errors]


_NONE = Figures()
_LOG_ERRORS = frozenset({"error", "fatal", "critical"})


def _status(failures: list[Seen], crashes: int) -> Status:
    if not failures:
        return Status.HEALTHY
    return Status.CRASHED if crashes else Status.ERRORED


def _crashes(failures: list[Seen]) -> int:
    """Count the errors that ended the application."""
    crashes = 0
    for each in failures:
        facts: dict[str, Any] | None = each[8]
        if facts and facts.get("fatal"):
            crashes += 1
    return crashes


def _log_errors(logs: list[Seen]) -> int:
    errors = 0
    for each in logs:
        if each[6] in _LOG_ERRORS:
            errors += 1
    return errors


def _failed_requests(timeline: Timeline) -> int:
    """Count the requests that failed.

    The browser's timing and the tracer's span tell of the same request: it counts
    once, by whichever kind saw more of them.
    """
    return max(_failed(timeline.of(_RESOURCE)), _failed(timeline.of(_SPAN)))


def _failed(requests: list[Seen]) -> int:
    failed = 0
    for each in requests:
        if _is_failure(each[8]):
            failed += 1
    return failed


def is_failed(event: Event) -> bool:
    """Tell whether a request was answered with an error."""
    return _is_failure(event.facts)


def _is_failure(facts: dict[str, Any] | None) -> bool:
    return bool(facts) and facts.get("status", 0) >= 400  # type: ignore[union-attr]  # noqa: PLR2004


def error_of(at: int, event: Event, page: str) -> Error:
    """Return the error that *event* tells of; its fingerprint leaves numbers out."""
    message = (event.facts or {}).get("message", "")
    text = f"{event.name}:{mask_numbers(message)}"
    digest = xxhash.xxh3_64_hexdigest(text.encode(errors="replace"))
    return Error(at, event.name, message[:MAX_NAME], digest, page)


def _describe(
    timeline: Timeline, contexts: Mapping[int, Context]
) -> tuple[Context, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the newest context field by field, all users, all attributes.

    A user is known by id, else e-mail, else name; one of whom less is said in some
    lines is still one user as long as the id is there.
    """
    order = timeline.recent
    told = [astuple(contexts[key]) for key in order]
    newest: list[Any] = list(told[-1][:_ATTRIBUTES])
    users: dict[str, None] = {}
    attributes: dict[str, str] = {}
    for fields in told:
        user = fields[_USER] or fields[_USER + 2] or fields[_USER + 1]
        if user:
            users[user] = None
        attributes.update(fields[_ATTRIBUTES])
    for at in range(len(told) - 2, -1, -1):
        if "" not in newest:
            break
        _fill(newest, told[at])
    actions = timeline.of(_ACTION)
    if actions:
        _add_event_attributes(actions, attributes)
    described = Context(*newest, {})  # type: ignore[call-arg]  # as many as fields
    if not attributes:
        return described, tuple(users)[:MAX_ATTRIBUTES], ()
    listed = sorted(attributes.items())[:MAX_ATTRIBUTES]
    return described, tuple(users)[:MAX_ATTRIBUTES], tuple(listed)


# what a browser says comes first in a context, and then attributes
_ATTRIBUTES: Final = Context.__struct_fields__.index("attributes")
_USER: Final = Context.__struct_fields__.index("user_id")  # and name, and e-mail


def _fill(newest: list[Any], older: tuple[Any, ...]) -> None:
    """Fill what is empty from an older context; the three user fields go together."""
    is_known = bool(newest[_USER] or newest[_USER + 1] or newest[_USER + 2])
    for at in range(_ATTRIBUTES):
        if not newest[at] and older[at] and not (is_known and _USER <= at <= _USER + 2):
            newest[at] = older[at]


def _add_event_attributes(actions: list[Seen], attributes: dict[str, str]) -> None:
    for each in actions:
        facts: dict[str, Any] | None = each[8]
        if facts:
            for name, value in facts.items():
                if name not in _OWN_FACTS and len(attributes) < 4 * MAX_ATTRIBUTES:
                    attributes["event." + name] = str(value)


_OWN_FACTS = frozenset({"trigger", "trace", "span"})
