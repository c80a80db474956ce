"""Sessions of worlds made by dice are what was planned, whatever their lines look like."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.model import Session
from tests.build import MS
from tests.corpus.made import Dice, Made
from tests.corpus.made_clm import clm
from tests.corpus.made_langfuse import langfuse
from tests.corpus.made_openobserve import openobserve
from tests.corpus.worlds import differences, source
from tests.driver import Index

SEEDS = range(8)
Told = dict[str, Any]
WORLDS: dict[str, Callable[[int], Made]] = {
    "clm": clm,
    "openobserve": openobserve,
    "langfuse": langfuse,
}


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_sessions_are_as_planned(name: str, seed: int, tmp_path: Path) -> None:
    """In any order, some lines twice, in any number of batches."""
    made = WORLDS[name](seed)
    index = Index(tmp_path / "skald.db", source(name))

    for batch in Dice(seed).mix(made.entries):
        index.ingest(batch)

    check(index, name, made)


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_sessions_are_as_planned_once_all_came(
    name: str, seed: int, tmp_path: Path
) -> None:
    """The indexer follows while lines come in, some of them again, and restarts at will."""
    made, dice = WORLDS[name](seed), Dice(seed)
    index = Index(tmp_path / "skald.db", source(name))
    index.feed(made.entries, made.entries[::5])
    stamps = [entry.ts // MS for entry in made.entries]
    first, last = min(stamps), max(stamps) + 2

    for share in (*sorted(dice.random() for _ in range(5)), 1.0):
        index.run(now=first + round(share * (last - first)))

    check(index, name, made)


def check(index: Index, name: str, made: Made) -> None:
    """Compare everything that an index holds with the plan."""
    found = {(row["app"], row["id"]) for row in index.rows()}
    assert found == set(made.plan)
    for (app, own), plan in made.plan.items():
        told = TOLD[name](index.session(own, app))
        assert list(differences(told, PLANNED[name](plan))) == [], (app, own)
    index.close()


def told_of_clm(session: Session) -> Told:
    """Return a session of the tracker in the words of the plan."""
    return {
        "start": session.start,
        "end": session.end,
        "views": [view.page for view in session.views],
        "titles": [view.title for view in session.views],
        "dwells": [view.dwell for view in session.views],
        "actions": session.action_count,
        "errors": session.errors,
        "users": set(session.users),
    }


def planned_of_clm(plan: Told) -> Told:
    """Return what the plan says of it."""
    return {
        "start": min(plan["times"]),
        "end": max(plan["times"]),
        "users": {user for _, user in plan["users"]},
    } | {
        name: plan[name] for name in ("views", "titles", "dwells", "actions", "errors")
    }


def told_of_openobserve(session: Session) -> Told:
    """Return a session of the SDK in the words of the plan."""
    figures, attributes = session.figures, dict(session.attributes)
    return {
        "start": session.start,
        "end": session.end,
        "views": [view.url for view in session.views],
        "dwells": [view.dwell for view in session.views],
        "lcp": [view.lcp for view in session.views],
        "actions": session.action_count,
        "errors": session.errors,
        "resources": session.resources,
        "failed": session.failed_requests,
        "log_errors": session.log_errors,
        "events": session.events,
        "crashes": figures.crashes,
        "frustrations": figures.frustrations,
        "long_tasks": figures.long_tasks,
        "replay": figures.has_replay,
        "browser": session.context.browser,
        "os": session.context.os,
        "referrer": session.context.referrer,
        "os_version": attributes.get("session.os_version"),
        "viewport": attributes.get("session.viewport"),
        "users": set(session.users),
    }


def planned_of_openobserve(plan: Told) -> Told:
    """Return what the plan says of it."""
    times = plan.pop("times")
    return plan | {
        "start": min(times),
        "end": max(times),
        "users": {user for user in plan["users"] if user},
    }


def told_of_langfuse(session: Session) -> Told:
    """Return a session of traces in the words of the plan."""
    figures = session.figures
    return {
        "start": session.start,
        "end": session.end,
        "latency": figures.trace_latency,
        "cost": figures.cost,
        "in": figures.tokens_in,
        "out": figures.tokens_out,
        "traces": figures.traces,
        "observations": figures.observations,
        "generations": figures.generations,
        "errors": session.errors,
        "warnings": figures.warnings,
        "users": list(session.users),
        "names": [trace.name for trace in session.traces],
        "tags": set(figures.tags),
        "models": set(figures.models),
        "scores": sorted((value for _, value in figures.scores), key=str),
    }


def planned_of_langfuse(plan: Told) -> Told:
    """Return what the plan says of it."""
    times = plan.pop("times")
    return plan | {
        "start": min(times),
        "end": max(times),
        "cost": int(plan["cost"] * 10**12),
        "users": list(dict.fromkeys(plan["users"])),
        "scores": sorted(plan["scores"], key=str),
    }


TOLD = {
    "clm": told_of_clm,
    "openobserve": told_of_openobserve,
    "langfuse": told_of_langfuse,
}
PLANNED = {
    "clm": planned_of_clm,
    "openobserve": planned_of_openobserve,
    "langfuse": planned_of_langfuse,
}
