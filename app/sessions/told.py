"""Derive a session whose source tells of its views by itself.

OpenObserve, the CLM tracker and mapped logs say what was visited, each in its way; what
differs between them is a ``Manner``. As with all sessions: a pure function of the set.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import xxhash

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
    View,
)
from app.sessions.described import describe, overlay
from app.sessions.fold import (
    MAX_LISTED,
    MAX_MINUTES,
    error_of,
    is_failed,
)
from app.sessions.versions import contexts_of_things, merge_versions, thing_of

Moment = tuple[int, Event]  # (believed time, ms; event)
Contexts = Mapping[int, Context]

VISIT, EXIT, ACTION, ERROR, LOG, RESOURCE, SPAN, REPLAY, LONG_TASK = (
    int(kind)
    for kind in (
        Kind.VISIT, Kind.EXIT, Kind.ACTION, Kind.ERROR, Kind.LOG, Kind.RESOURCE,
        Kind.SPAN, Kind.REPLAY, Kind.LONG_TASK,
    )
)  # fmt: skip
_LASTING = frozenset(
    map(int, (Kind.VISIT, Kind.ACTION, Kind.RESOURCE, Kind.LONG_TASK, Kind.MEASUREMENT))
)
_LOG_ERRORS = frozenset({"error", "fatal", "critical", "emergency", "alert"})
_FUTURE_MS = 4 * 3_600_000 + 900_000  # so far ahead of its receipt, nothing is believed


@dataclass(frozen=True, slots=True)
class Manner:
    """How a source tells.

    Attributes:
        past_ms: how long ago something may have happened when Loki gets it.
        lasts: an event's value is how long it lasted; its session lasts as long.
        dwell: what tells how long a view was open: ``exit`` events, the time ``spent``
            that the view says, else the start of the ``next``.
        newcomer: the user is who came last, and not who was there last.
        uncounted: kinds that are not among the events of a session.
    """

    past_ms: int
    lasts: bool = False
    dwell: str = "next"
    newcomer: bool = False
    uncounted: frozenset[int] = frozenset()


def fold_told(
    manner: Manner,
    key: SessionKey,
    events: list[Event],
    contexts: Contexts,
    *,
    is_cut: bool = False,
) -> Session:
    """Derive the session *key* from all of its *events* (at least one).

    1. Make one of the versions of each thing (``versions``).
    2. Order by time, an exit before the visit that it makes room for.
    3. List views, actions, errors; count the rest.
    """
    events, contexts = with_all_said(events, contexts)
    moments, clamped = in_order(events, manner)
    lived = [each for each in moments if each[1].kind != REPLAY] or moments
    views = _views(lived, contexts, manner)
    context, users, attributes = describe(lived, contexts, newcomer=manner.newcomer)
    actions, errors = _of(lived, ACTION), _of(lived, ERROR)
    return Session(
        key=key,
        start=lived[0][0],
        end=_end(lived, manner),
        context=context,
        entry=views[0].page if views else "",
        exit=views[-1].page if views else "",
        status=_status(errors),
        events=sum(each[1].kind not in manner.uncounted for each in moments),
        view_count=len(views),
        action_count=len(actions),
        errors=len(errors),
        log_errors=_log_errors(lived),
        failed_requests=max(_failed(lived, RESOURCE), _failed(lived, SPAN)),
        resources=len(_of(lived, RESOURCE)),
        skew=0,
        clamped=clamped,
        is_cut=is_cut,
        views=tuple(views[:MAX_LISTED]),
        actions=tuple(_actions(actions[:MAX_LISTED], contexts)),
        error_list=tuple(_errors(errors[:MAX_LISTED], contexts)),
        users=users,
        attributes=attributes,
        minutes=minutes_of(lived),
        figures=_figures(moments, views, lived[-1][0]),
    )


def in_order(events: Iterable[Event], manner: Manner) -> tuple[list[Moment], int]:
    """Return the events in order, and how many have a time that cannot be true."""
    timed, clamped = [], 0
    for event in events:
        received = event.received // 1000
        at = event.at
        if not at or not -_FUTURE_MS <= received - at <= manner.past_ms:
            clamped += 1
            at = received
        timed.append((at, event.kind != EXIT, event.received, event.key, event))
    timed.sort(key=lambda each: each[:4])
    return [(each[0], each[4]) for each in timed], clamped


def with_all_said(
    events: list[Event], contexts: Contexts
) -> tuple[list[Event], Contexts]:
    """Merge the versions of each thing, and the contexts in which it was told of."""
    merged = merge_versions(events)
    if len(merged) == len(events):
        return merged, contexts
    said = contexts_of_things(events)
    known = dict(contexts)
    for index, event in enumerate(merged):
        thing = thing_of(event)
        keys = list(dict.fromkeys(said[thing])) if thing else []
        if len(keys) > 1:
            context = overlay([contexts[key] for key in keys])
            key = xxhash.xxh3_64_intdigest(msgspec.msgpack.encode(context))
            known[key] = context
            merged[index] = msgspec.structs.replace(event, context=key)
    return merged, known


def _actions(moments: list[Moment], contexts: Contexts) -> Iterator[Action]:
    for at, event in moments:
        yield Action(at, event.name, contexts[event.context].page)


def _errors(moments: list[Moment], contexts: Contexts) -> Iterator[Error]:
    for at, event in moments:
        yield error_of(at, event, contexts[event.context].page)


def _of(moments: list[Moment], kind: int) -> list[Moment]:
    return [each for each in moments if each[1].kind == kind]


def _log_errors(moments: list[Moment]) -> int:
    return sum(event.name.lower() in _LOG_ERRORS for _, event in _of(moments, LOG))


def _failed(moments: list[Moment], kind: int) -> int:
    return sum(is_failed(event) for _, event in _of(moments, kind))


def _status(errors: list[Moment]) -> Status:
    if not errors:
        return Status.HEALTHY
    return Status.CRASHED if _crashes(errors) else Status.ERRORED


def _crashes(errors: list[Moment]) -> int:
    return sum(bool(event.facts and event.facts.get("fatal")) for _, event in errors)


def _end(moments: list[Moment], manner: Manner) -> int:
    end = moments[-1][0]
    if manner.lasts:
        for at, event in moments:
            if event.value and event.kind in _LASTING:
                end = max(end, int(at + event.value))
    return end


def minutes_of(moments: list[Moment]) -> tuple[int, ...]:
    """Return the minutes in which something happened, ascending, bounded."""
    return tuple(dict.fromkeys(at // 60_000 for at, _ in moments))[:MAX_MINUTES]


# -- views -------------------------------------------------------------------------


def _views(moments: list[Moment], contexts: Contexts, manner: Manner) -> list[View]:
    visits = _of(moments, VISIT)
    dwells = _DWELLS[manner.dwell](moments, contexts)
    if manner.dwell == "exit":  # of one instant, first what was left at once
        visits.sort(key=lambda each: (each[0], dwells.get(each[1].key) != 0))
    titles = {
        contexts[event.context].page: contexts[event.context].view
        for _, event in visits
        if contexts[event.context].view
    }
    return [
        _view(at, event, contexts[event.context], dwells.get(event.key), titles)
        for at, event in visits
    ]


def _view(
    at: int,
    event: Event,
    context: Context,
    dwell: int | None,
    titles: Mapping[str, str],
) -> View:
    facts = event.facts or {}
    page = context.page or context.view or event.name
    return View(
        at,
        page,
        is_load=facts.get("loading") not in {None, "route_change"},
        dwell=dwell,
        lcp=facts.get("lcp"),
        inp=facts.get("inp"),
        cls=facts.get("cls"),
        ttfb=facts.get("ttfb"),
        fcp=facts.get("fcp"),
        title=context.view or titles.get(page, ""),
        url=context.url.partition("?")[0],
        key=str(facts.get("id", "")),
    )


def _until_exit(moments: list[Moment], contexts: Contexts) -> dict[int, int]:
    """Give each exit to its visit: of the same place, and begun so long before it.

    Where none began just then, it is the newest of that place that is still open.
    """
    begun: dict[tuple[str, int], list[int]] = {}
    for at, event in _of(moments, VISIT):
        begun.setdefault((contexts[event.context].page, at), []).append(event.key)
    dwells: dict[int, int] = {}
    left: set[int] = set()
    for at, event in _of(moments, EXIT):
        spent = max(0, int(event.value or 0))
        visits = begun.get((contexts[event.context].page, at - spent))
        if visits and event.value is not None:
            dwells[visits.pop(0)] = spent
            left.add(event.key)
    open_: dict[str, int] = {}
    for _, event in moments:
        page = contexts[event.context].page
        if event.kind == VISIT and event.key not in dwells:
            open_[page] = event.key
        elif event.kind == EXIT and event.key not in left:
            visit = open_.pop(page, None)
            if visit is not None and event.value is not None:
                dwells[visit] = max(0, int(event.value))
    return dwells


def _as_said(moments: list[Moment], contexts: Contexts) -> dict[int, int]:
    said = {
        event.key: max(0, int(event.value))
        for _, event in _of(moments, VISIT)
        if event.value is not None
    }
    return _until_next(moments, contexts) | said


def _until_next(moments: list[Moment], _contexts: Contexts) -> dict[int, int]:
    visits = _of(moments, VISIT)
    return {one[1].key: two[0] - one[0] for one, two in pairwise(visits)}


_DWELLS: dict[str, Callable[[list[Moment], Contexts], dict[int, int]]] = {
    "exit": _until_exit,
    "spent": _as_said,
    "next": _until_next,
}


# -- figures -----------------------------------------------------------------------


def _figures(moments: list[Moment], views: list[View], last: int) -> Figures:
    segments = _of(moments, REPLAY)
    ends = [(event.facts or {}).get("until", at) for at, event in segments]
    facts = [event.facts or {} for _, event in moments]
    return Figures(
        frustrations=sum(
            bool((event.facts or {}).get("frustration"))
            for _, event in _of(moments, ACTION)
        ),
        crashes=_crashes(_of(moments, ERROR)),
        long_tasks=len(_of(moments, LONG_TASK)),
        has_replay=bool(segments) or any(each.get("replay") for each in facts),
        replay=max(ends) - segments[0][0] if segments else 0,
        segments=len(segments),
        open_dwell=last - views[-1].at if views and views[-1].dwell is None else None,
    )
