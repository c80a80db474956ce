"""Describe how one session performed: web vitals with their rating, loads with timings."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.catalog.bands import VITAL_BANDS
from app.catalog.metrics import METRICS
from app.model import Context, Kind, Session
from app.sessions.requests import TIMINGS
from app.sessions.timeline import Moment

Row = dict[str, Any]

VITALS = ("lcp", "inp", "cls", "ttfb", "fcp", "fid")
_FID = (100.0, 300.0)  # ms; web.dev/articles/fid, no metric of ours any more
_P75 = 0.75
_VITAL, _LOAD, _VISIT = int(Kind.VITAL), int(Kind.LOAD), int(Kind.VISIT)


def describe_vitals(session: Session, moments: Sequence[Moment]) -> list[Row]:
    """List the web vitals of a session: p75 over its views, the worst, a rating."""
    values: dict[str, list[float]] = {
        name: [
            value
            for view in session.views
            if (value := getattr(view, name)) is not None
        ]
        for name in VITALS[:-1]
    }
    values["fid"] = [
        event.value
        for _, event in moments
        if event.kind == _VITAL and event.name == "fid" and event.value is not None
    ]
    return [_vital(name, found) for name, found in values.items() if found]


def _vital(name: str, values: list[float]) -> Row:
    metric = METRICS.get(f"{name}_p75")
    thresholds = metric.thresholds if metric else _FID
    value = quantile(values, _P75)
    return {
        "name": name,
        "value": value,
        "worst": max(values),
        "samples": len(values),
        "rating": rate(value, thresholds),
        "unit": "none" if name == "cls" else "ms",
    }


def quantile(values: list[float], q: float) -> float:
    """Return the quantile, linear between the closest ranks, as the index has it."""
    ordered = sorted(values)
    rank = q * (len(ordered) - 1)
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def rate(value: float, thresholds: Sequence[float]) -> str:
    """Say what a web vital is worth; a threshold itself is still within."""
    return VITAL_BANDS[sum(value > each for each in thresholds)]


def list_loads(moments: Sequence[Moment], contexts: Mapping[int, Context]) -> list[Row]:
    """List loads of documents with what took how long, ms."""
    found = []
    for at, event in moments:
        facts = event.facts or {}
        is_timed = event.kind == _VISIT and any(name in facts for name in TIMINGS)
        if event.kind == _LOAD or is_timed:
            timings = {name: facts.get(name) for name in TIMINGS}
            page = contexts[event.context].page
            how = facts.get("loading") or event.name
            # of a view that is told of, the value is how long it was looked at
            took = facts.get("load") if is_timed else event.value
            found.append(
                {"at": at, "page": page, "how": how, "duration": took} | timings
            )
    return found
