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
    Kind,
    Session,
    SessionKey,
    Status,
)
from app.sessions.clocks import Timed, clock_of
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

    1. Correct the clock of who reported them (``clocks``).
    2. Order by corrected time, then by receipt.
    3. Find the views (``views``), count the rest.
    4. Of each context field keep the newest that says something.
    """
    clock = clock_of(events)
    timed = clock.order(events)
    views = find_views(timed, contexts)
    context, users, attributes = _describe(timed, contexts)
    actions, errors, counts = _gather(timed, contexts)
    return Session(
        key=key,
        start=timed[0][0],
        end=timed[-1][0],
        context=context,
        entry=views[0].page if views else "",
        exit=views[-1].page if views else "",
        status=_status(errors, events),
        events=len(events),
        view_count=len(views),
        action_count=len(actions),
        errors=len(errors),
        log_errors=counts[0],
        failed_requests=counts[1],
        resources=counts[2],
        skew=clock.skew,
        clamped=clock.clamped,
        is_cut=is_cut,
        views=tuple(views[:MAX_LISTED]),
        actions=tuple(actions[:MAX_LISTED]),
        error_list=tuple(errors[:MAX_LISTED]),
        users=users,
        attributes=attributes,
        minutes=_minutes(timed),
    )


def _status(errors: list[Error], events: list[Event]) -> Status:
    if not errors:
        return Status.HEALTHY
    crashed = any(
        event.kind == ERROR and event.facts and event.facts.get("fatal")
        for event in events
    )
    return Status.CRASHED if crashed else Status.ERRORED


def _gather(
    timed: Timed, contexts: Mapping[int, Context]
) -> tuple[list[Action], list[Error], tuple[int, int, int]]:
    """List actions and errors; count error logs, failed requests and requests.

    The browser's timing and the tracer's span tell of the same request: a request
    counts as failed once, by whichever kind saw more of them.
    """
    actions: list[Action] = []
    errors: list[Error] = []
    log_errors = resources = failed_resources = failed_spans = 0
    for at, _, event in timed:
        kind = event.kind
        if kind == ACTION:
            actions.append(Action(at, event.name, contexts[event.context].page))
        elif kind == RESOURCE:
            resources += 1
            failed_resources += _is_failed(event)
        elif kind == ERROR:
            errors.append(_error(at, event, contexts[event.context].page))
        elif kind == LOG:
            log_errors += event.name in {"error", "fatal", "critical"}
        elif kind == SPAN:
            failed_spans += _is_failed(event)
    failed = max(failed_resources, failed_spans)
    return actions, errors, (log_errors, failed, resources)


def _is_failed(event: Event) -> bool:
    return bool(event.facts) and event.facts.get("status", 0) >= 400  # type: ignore[union-attr]  # noqa: PLR2004


def _error(at: int, event: Event, page: str) -> Error:
    message = (event.facts or {}).get("message", "")
    text = f"{event.name}:{mask_numbers(message)}"
    digest = xxhash.xxh3_64_hexdigest(text.encode(errors="replace"))
    return Error(at, event.name, message[:MAX_NAME], digest, page)


def _describe(
    timed: Timed, contexts: Mapping[int, Context]
) -> tuple[Context, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the newest context field by field, all users, all attributes.

    A user is known by id, else e-mail, else name; one of whom less is said in some
    lines is still one user as long as the id is there.
    """
    order = _contexts_in_order(timed)
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
    _add_event_attributes(timed, attributes)
    listed = sorted(attributes.items())[:MAX_ATTRIBUTES]
    described = Context(*newest, {})  # type: ignore[call-arg]  # as many as fields
    return described, tuple(users)[:MAX_ATTRIBUTES], tuple(listed)


_FIELDS = Context.__struct_fields__
_context_values = attrgetter(*_FIELDS[:-1])
_USER = slice(_FIELDS.index("user_id"), _FIELDS.index("user_email") + 1)


def _fill(newest: list[str], older: Context) -> None:
    """Fill what is empty from an older context; the three user fields go together."""
    values = _context_values(older)
    if any(newest[_USER]):
        values = (*values[: _USER.start], *newest[_USER], *values[_USER.stop :])
    for at, value in enumerate(values):
        if value and not newest[at]:
            newest[at] = value


def _contexts_in_order(timed: Timed) -> list[int]:
    """List each context once, by the last time it was in force."""
    order: dict[int, None] = {}
    for _, _, event in timed:
        key = event.context
        order.pop(key, None)
        order[key] = None
    return list(order)


def _add_event_attributes(timed: Timed, attributes: dict[str, str]) -> None:
    for _, _, event in timed:
        if event.kind == ACTION and event.facts:
            for name, value in event.facts.items():
                if name not in _OWN_FACTS and len(attributes) < 4 * MAX_ATTRIBUTES:
                    attributes["event." + name] = str(value)


_OWN_FACTS = frozenset({"trigger", "trace", "span"})


def _minutes(timed: Timed) -> tuple[int, ...]:
    minutes = dict.fromkeys(at // 60_000 for at, _, _ in timed)
    return tuple(minutes)[:MAX_MINUTES]
