"""Derive a session from the set of its events, and from nothing else.

The order in which events came, how often, and in how many pieces makes no difference:
``fold(key, events)`` is a pure function of the set.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter

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
from app.sessions.timeline import Moment, Timeline
from app.sessions.views import find_views

import xxhash  # isort: skip

MAX_ATTRIBUTES = 64  # of one session
MAX_MINUTES = 1_440  # of activity remembered for one session
MAX_LISTED = 1_000  # views, actions, errors listed for one session

ACTION, ERROR, LOG, RESOURCE, SPAN = (
    int(Kind.ACTION),
    int(Kind.ERROR),
    int(Kind.LOG),
    int(Kind.RESOURCE),
    int(Kind.SPAN),
)


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
    actions, errors = (
        _list_actions(timeline, contexts),
        _list_errors(timeline, contexts),
    )
    return Session(
        key=key,
        start=timeline.start,
        end=timeline.end,
        context=context,
        entry=views[0].page if views else "",
        exit=views[-1].page if views else "",
        status=_status(timeline),
        events=len(events),
        view_count=len(views),
        action_count=len(actions),
        errors=len(errors),
        log_errors=sum(event.name in _LOG_ERRORS for _, event in timeline.of(LOG)),
        failed_requests=_failed_requests(timeline),
        resources=len(timeline.of(RESOURCE)),
        skew=timeline.skew,
        clamped=timeline.clamped,
        is_cut=is_cut,
        views=tuple(views[:MAX_LISTED]),
        actions=tuple(actions[:MAX_LISTED]),
        error_list=tuple(errors[:MAX_LISTED]),
        users=users,
        attributes=attributes,
        minutes=tuple(timeline.minutes[:MAX_MINUTES]),
        figures=_figures(timeline),
    )


def _list_actions(timeline: Timeline, contexts: Mapping[int, Context]) -> list[Action]:
    return [
        Action(at, event.name, contexts[event.context].page)
        for at, event in timeline.of(ACTION)
    ]


def _list_errors(timeline: Timeline, contexts: Mapping[int, Context]) -> list[Error]:
    return [
        error_of(at, event, contexts[event.context].page)
        for at, event in timeline.of(ERROR)
    ]


_NONE = Figures()
_LOG_ERRORS = frozenset({"error", "fatal", "critical"})


def _status(timeline: Timeline) -> Status:
    errors = timeline.of(ERROR)
    if not errors:
        return Status.HEALTHY
    return Status.CRASHED if any(map(is_crash, errors)) else Status.ERRORED


def _figures(timeline: Timeline) -> Figures:
    crashes = sum(map(is_crash, timeline.of(ERROR)))
    return Figures(crashes=crashes) if crashes else _NONE


def is_crash(moment: Moment) -> bool:
    """Tell whether an error ended the application."""
    facts = moment[1].facts
    return bool(facts and facts.get("fatal"))


def _failed_requests(timeline: Timeline) -> int:
    """Count the requests that failed.

    The browser's timing and the tracer's span tell of the same request: it counts
    once, by whichever kind saw more of them.
    """
    return max(
        sum(is_failed(event) for _, event in timeline.of(RESOURCE)),
        sum(is_failed(event) for _, event in timeline.of(SPAN)),
    )


def is_failed(event: Event) -> bool:
    """Tell whether a request was answered with an error."""
    return bool(event.facts) and event.facts.get("status", 0) >= 400  # type: ignore[union-attr]  # noqa: PLR2004


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
    newest = list(_context_values(contexts[order[-1]]))
    users: dict[str, None] = {}
    attributes: dict[str, str] = {}
    for key in order:
        context = contexts[key]
        user = context.user_id or context.user_email or context.user_name
        if user:
            users[user] = None
        attributes.update(context.attributes)
    for key in reversed(order[:-1]):
        if all(newest):
            break
        _fill(newest, contexts[key])
    _add_event_attributes(timeline, attributes)
    listed = sorted(attributes.items())[:MAX_ATTRIBUTES]
    described = Context(*newest, {})  # type: ignore[call-arg]  # as many as fields
    return described, tuple(users)[:MAX_ATTRIBUTES], tuple(listed)


_FIELDS = Context.__struct_fields__  # those that a browser says, and then attributes
_FIELDS = _FIELDS[: _FIELDS.index("attributes")]
_context_values = attrgetter(*_FIELDS)
_USER = slice(_FIELDS.index("user_id"), _FIELDS.index("user_email") + 1)


def _fill(newest: list[str], older: Context) -> None:
    """Fill what is empty from an older context; the three user fields go together."""
    values = _context_values(older)
    if any(newest[_USER]):
        values = (*values[: _USER.start], *newest[_USER], *values[_USER.stop :])
    for at, value in enumerate(values):
        if value and not newest[at]:
            newest[at] = value


def _add_event_attributes(timeline: Timeline, attributes: dict[str, str]) -> None:
    for _, event in timeline.of(ACTION):
        for name, value in (event.facts or {}).items():
            if name not in _OWN_FACTS and len(attributes) < 4 * MAX_ATTRIBUTES:
                attributes["event." + name] = str(value)


_OWN_FACTS = frozenset({"trigger", "trace", "span"})
