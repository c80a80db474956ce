"""Derive a session of an application that calls language models, from its traces.

A trace and its observations are told of in versions (created, updated), each an event;
cost and tokens are counted once, wherever they are said. Such a session has no timeout:
how long it lasted, how long its traces took and how long models wrote are three figures.
"""

from collections.abc import Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from app.model import (
    Action,
    Context,
    Event,
    Figures,
    Kind,
    Session,
    SessionKey,
    Status,
    Step,
    Trace,
    View,
)
from app.sessions.fold import MAX_ATTRIBUTES, MAX_LISTED, MAX_MINUTES, error_of
from app.sessions.versions import (
    Thing,
    contexts_of_things,
    merge_versions,
    thing_of,
)

TRACE, OBSERVATION, SCORE = (
    int(kind) for kind in (Kind.TRACE, Kind.OBSERVATION, Kind.SCORE)
)
_FIELDS = tuple(n for n in Context.__struct_fields__ if n != "attributes")
Contexts = Mapping[int, Context]


def fold_traced(
    key: SessionKey, events: list[Event], contexts: Contexts, *, is_cut: bool = False
) -> Session:
    """Derive the session *key* from all of its *events* (at least one).

    1. Make one of the versions of each trace, observation and score.
    2. Build the traces: their own time, usage and steps.
    3. Sum them.
    """
    said = contexts_of_things(events)
    events = sorted(merge_versions(events), key=attrgetter("at", "received", "key"))
    order = _newest_first(events, said)
    steps = [event for event in events if event.kind == OBSERVATION]
    found = _Traces(events, steps)
    traces = found.traces
    spans = found.spans or [(event.at, event.at) for event in events]
    context, users, attributes = _describe([contexts[key] for key in order], traces)
    errors = [error_of(event.at, event, name) for event, name in found.errors]
    failed = any(step.level == "ERROR" for trace in traces for step in trace.steps)
    return Session(
        key=key,
        start=min(start for start, _ in spans),
        end=max(end for _, end in spans),
        context=context,
        entry=traces[0].name if traces else "",
        exit=traces[-1].name if traces else "",
        status=Status.ERRORED if errors or failed else Status.HEALTHY,
        events=len(events),
        view_count=len(traces),
        action_count=sum(step.type == "TOOL" for t in traces for step in t.steps),
        errors=len(errors),
        log_errors=0,
        failed_requests=0,
        resources=0,
        skew=0,
        clamped=sum(not event.at for event in events),
        is_cut=is_cut,
        views=tuple(_view(trace) for trace in traces[:MAX_LISTED]),
        actions=_actions(traces),
        error_list=tuple(errors[:MAX_LISTED]),
        users=users,
        attributes=attributes,
        minutes=_minutes(traces, spans),
        figures=_figures(traces, events),
        traces=tuple(traces),
    )


class _Traces:
    """The traces of a session, in the order in which they began.

    Attributes:
        traces: each with its steps.
        spans: (start, end) of each trace.
        errors: events that tell of an error.
    """

    def __init__(self, events: list[Event], steps: list[Event]) -> None:
        self.errors: list[tuple[Event, str]] = []
        told = {e.facts["id"]: e for e in events if e.kind == TRACE and e.facts}
        by_trace = attrgetter("facts")
        steps = sorted(steps, key=lambda e: (by_trace(e)["trace"], e.at, e.key))
        grouped = {
            trace: list(group)
            for trace, group in groupby(steps, lambda e: by_trace(e)["trace"])
        }
        built = [
            self._build(trace, told.get(trace), grouped.get(trace, []))
            for trace in told.keys() | grouped.keys()
        ]
        built.sort(key=lambda each: (each[0].at, each[0].id))
        self.traces = [trace for trace, _ in built]
        self.spans = [span for _, span in built]
        self.errors.sort(key=lambda each: (each[0].at, each[0].key))

    def _build(
        self, trace: str, told: Event | None, events: list[Event]
    ) -> tuple[Trace, tuple[int, int]]:
        facts = (told.facts if told else None) or {}
        steps = [_step(event) for event in events]
        starts = [step.at for step in steps] + ([told.at] if told else [])
        ends = [step.at + (step.duration or 0) for step in steps] + (
            [told.at] if told else []
        )
        start, end = min(starts), max(ends)
        if facts.get("latency") is not None:
            latency = max(0, int(facts["latency"]))
            end = max(end, start + latency) if not steps else end
        else:
            latency = end - start
        name = facts.get("name") or _first(events, "trace_name") or _root_name(steps)
        errors = [e for e in events if (e.facts or {}).get("level") == "ERROR"]
        if told and not steps and facts.get("level") == "ERROR":
            errors = [told]
        self.errors += [(event, name) for event in errors]
        usage = _usage(facts, steps)
        user = facts.get("user") or _first(events, "user")
        built = Trace(
            trace, name, start, latency, user, *usage, len(errors), tuple(steps)
        )
        return built, (start, end)


def _step(event: Event) -> Step:
    facts: dict[str, Any] = event.facts or {}
    start = facts.get("start") or event.at
    end, first = facts.get("end"), facts.get("first")
    return Step(
        facts["id"],
        facts.get("parent", ""),
        facts.get("type", "SPAN"),
        facts.get("name", ""),
        start,
        None if end is None else max(0, end - start),
        facts.get("level", "DEFAULT"),
        facts.get("message", ""),
        facts.get("model", ""),
        None if facts.get("aggregate") else facts.get("cost"),
        facts.get("in", 0),
        facts.get("out", 0),
        facts.get("tokens", 0),
        None if first is None else max(0, first - start),
        not facts.get("aggregate"),
    )


def _usage(facts: Mapping[str, Any], steps: list[Step]) -> tuple[int, int, int, int]:
    """Return cost and tokens of a trace: of its steps, else as the trace itself says."""
    priced = [step.cost for step in steps if step.cost is not None]
    cost = sum(priced) if priced else facts.get("cost", 0)
    spent = [step for step in steps if _spends(step)]
    if any(step.tokens for step in spent) or not facts.get("tokens"):
        return (
            cost,
            sum(step.tokens_in for step in spent),
            sum(step.tokens_out for step in spent),
            sum(step.tokens for step in spent),
        )
    return cost, facts.get("in", 0), facts.get("out", 0), facts["tokens"]


def _spends(step: Step) -> bool:
    return step.type == "GENERATION" and step.is_counted


def _first(events: list[Event], fact: str) -> str:
    return next((e.facts[fact] for e in events if e.facts and fact in e.facts), "")


def _root_name(steps: list[Step]) -> str:
    known = {step.id for step in steps}
    roots = [step for step in steps if step.parent not in known]
    return roots[0].name if roots else ""


def _view(trace: Trace) -> View:
    return View(trace.at, trace.name, is_load=False, dwell=trace.latency, key=trace.id)


def _actions(traces: list[Trace]) -> tuple[Action, ...]:
    found = [
        Action(step.at, step.name, trace.name)
        for trace in traces
        for step in trace.steps
        if step.type == "TOOL"
    ]
    found.sort(key=attrgetter("at"))
    return tuple(found[:MAX_LISTED])


def _minutes(traces: list[Trace], spans: list[tuple[int, int]]) -> tuple[int, ...]:
    times = [step.at for trace in traces for step in trace.steps]
    times += [start for start, _ in spans]
    return tuple(sorted({at // 60_000 for at in times})[:MAX_MINUTES])


def _newest_first(events: list[Event], said: dict[Thing, list[int]]) -> list[int]:
    """Return the contexts of *events*, of every version in which a thing was told."""
    found: dict[int, None] = {}
    for event in reversed(events):
        thing = thing_of(event)
        found |= dict.fromkeys([event.context] if thing is None else said[thing])
    return list(found)


def _describe(
    contexts: list[Context], traces: list[Trace]
) -> tuple[Context, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the newest context field by field, all users, all attributes.

    Args:
        contexts: the newest first.
        traces: in the order in which they began.
    """
    newest = dict.fromkeys(_FIELDS, "")
    attributes: dict[str, str] = {}
    for context in contexts:
        attributes = context.attributes | attributes
        for name in _FIELDS:
            newest[name] = newest[name] or getattr(context, name)
    users = list(dict.fromkeys(trace.user for trace in traces if trace.user))
    newest["user_id"] = next((t.user for t in reversed(traces) if t.user), "")
    described = Context(**newest)  # type: ignore[arg-type]  # all of them strings
    listed = tuple(sorted(attributes.items())[:MAX_ATTRIBUTES])
    return described, tuple(users[:MAX_ATTRIBUTES]), listed


def _figures(traces: list[Trace], events: list[Event]) -> Figures:
    steps = [step for trace in traces for step in trace.steps]
    generations = [step for step in steps if step.type == "GENERATION"]
    facts = [event.facts or {} for event in events]
    tags = {tag for each in facts for tag in each.get("tags", ())}
    return Figures(
        traces=len(traces),
        observations=len(steps),
        generations=len(generations),
        warnings=sum(step.level == "WARNING" for step in steps),
        failed_traces=sum(trace.errors > 0 for trace in traces),
        unpriced=sum(step.cost is None for step in generations),
        cost=sum(trace.cost for trace in traces),
        tokens_in=sum(trace.tokens_in for trace in traces),
        tokens_out=sum(trace.tokens_out for trace in traces),
        tokens=sum(trace.tokens for trace in traces),
        trace_latency=sum(trace.latency for trace in traces),
        generation_time=sum(step.duration or 0 for step in generations),
        models=tuple(sorted({step.model for step in steps if step.model})),
        tags=tuple(sorted(tags))[:MAX_ATTRIBUTES],
        scores=_scores(events),
    )


def _scores(events: list[Event]) -> tuple[tuple[str, float | str], ...]:
    found = [
        (event.name, event.facts["score"])
        for event in events
        if event.kind == SCORE and event.facts and "score" in event.facts
    ]
    found.sort(key=lambda each: (each[0], str(each[1])))
    return tuple(found[:MAX_ATTRIBUTES])
