"""Langfuse's sessions agree with the plan that made their traces, down to each step."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from app.model import Kind, Session, Step
from tests.corpus.worlds import differences, entries, index_of, truth
from tests.driver import Index

TRUTH = truth("langfuse")
PICO = Decimal(10) ** 12
_TOLD_IN_LINES = ("note", "dialect", "raw_lines", "service", "session_id")


@pytest.fixture(scope="module")
def index(tmp_path_factory: Any) -> Iterator[Index]:
    """Return the index of all lines, read in order."""
    made = index_of("langfuse", tmp_path_factory.mktemp("langfuse"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "told", TRUTH["sessions"], ids=lambda told: f"{told['note']}-{told['session_id']}"
)
def test_session_agrees_with_the_plan(index: Index, told: dict[str, Any]) -> None:
    """Times, cost, tokens, users, models, tags, scores and the tree of every trace."""
    session = index.session(told["session_id"], told["service"])

    assert list(differences(described(session), wanted(told))) == []


def test_every_line_is_counted(index: Index) -> None:
    """What cannot be read is dropped by reason, the rest is read."""
    (status,) = index.reader.sources()

    assert sum(status.dropped.values()) == TRUTH["malformed_lines"]
    assert status.entries == len(entries("langfuse"))


def test_traces_without_a_session_expire_and_are_counted(index: Index) -> None:
    """They wait for one, and are dropped by reason when none comes."""
    gone = index.writer.expire_strands(1 << 53)
    (status,) = index.reader.sources()

    assert gone == TRUTH["sessionless_traces"]
    assert status.dropped["no_session"] >= gone


def test_users_agree(index: Index) -> None:
    """What each user had, by the user of each trace."""
    users: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(list))
    for told in TRUTH["sessions"]:
        for trace in index.session(told["session_id"], told["service"]).traces:
            users[trace.user]["traces"].append(trace)
            users[trace.user]["sessions"].append((told["service"], told["session_id"]))
    del users[""]
    found = {name: user_of(**each) for name, each in users.items()}

    assert found == {
        name: {**told, "total_cost_usd": Decimal(told["total_cost_usd"])}
        for name, told in TRUTH["user_metrics_excluding_sessionless"].items()
    }


def user_of(traces: list[Any], sessions: list[Any]) -> dict[str, Any]:
    """Return the figures of one user."""
    starts = [trace.at for trace in traces]
    return {
        "traces": len(traces),
        "sessions": len(set(sessions)),
        "total_cost_usd": sum(trace.cost for trace in traces) / PICO,
        "tokens_in": sum(trace.tokens_in for trace in traces),
        "tokens_out": sum(trace.tokens_out for trace in traces),
        "first_trace_ms": min(starts),
        "last_trace_ms": max(starts),
        "avg_trace_latency_ms": round(
            sum(trace.latency for trace in traces) / len(traces), 3
        ),
    }


def wanted(told: dict[str, Any]) -> dict[str, Any]:
    """Return the truth of a session; what a dialect does not say counts as none."""
    found = {name: told[name] for name in told if name not in _TOLD_IN_LINES}
    for name in (
        "sum_generation_ms", "error_observations", "warnings", "generations_without_cost",
    ):  # fmt: skip
        found[name] = told[name] or 0
    found["total_cost_usd"] = Decimal(told["total_cost_usd"])
    found["traces"] = [
        {
            **trace,
            "cost_usd": Decimal(trace["cost_usd"]),
            "observations": _sorted(trace["observations"]),
        }
        for trace in told["traces"]
    ]
    return found


def _sorted(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [
        {
            **step,
            "cost_usd": None if step["cost_usd"] is None else Decimal(step["cost_usd"]),
            "children": _sorted(step["children"]),
        }
        for step in steps
    ]
    return sorted(found, key=lambda step: step["id"])


def described(session: Session) -> dict[str, Any]:
    """Return a session in the words of the truth."""
    figures = session.figures
    scores: dict[str, list[Any]] = defaultdict(list)
    for name, value in figures.scores:
        scores[name].append(value)
    return {
        "environment": session.context.environment,
        "start_ms": session.start,
        "end_ms": session.end,
        "duration_ms": session.end - session.start,
        "sum_trace_latency_ms": figures.trace_latency,
        "sum_generation_ms": figures.generation_time,
        "trace_count": figures.traces,
        "observation_count": figures.observations,
        "total_cost_usd": figures.cost / PICO,
        "tokens_in": figures.tokens_in,
        "tokens_out": figures.tokens_out,
        "tokens_total": figures.tokens,
        "error_observations": sum(
            step.level == "ERROR" for trace in session.traces for step in trace.steps
        ),
        "error_traces": figures.failed_traces,
        "warnings": figures.warnings,
        "generations_without_cost": figures.unpriced,
        "user": session.context.user_id or None,
        "users": list(session.users),
        "models": list(figures.models),
        "tags": list(figures.tags),
        "trace_names_in_order": [trace.name for trace in session.traces],
        "entry": session.entry,
        "exit": session.exit,
        "scores": scores,
        "traces": [
            {
                "trace_id": trace.id,
                "name": trace.name,
                "start_ms": trace.at,
                "latency_ms": trace.latency,
                "cost_usd": trace.cost / PICO,
                "tokens_in": trace.tokens_in,
                "tokens_out": trace.tokens_out,
                "errors": trace.errors,
                "user": trace.user or None,
                "observations": tree(trace.steps),
            }
            for trace in session.traces
        ],
    }


def tree(steps: tuple[Step, ...], parent: str | None = None) -> list[dict[str, Any]]:
    """Return steps below *parent*, or those whose parent is not among them."""
    known = {step.id for step in steps}
    chosen = [
        step
        for step in steps
        if (step.parent == parent if parent else step.parent not in known)
    ]
    found = [
        {
            "id": step.id,
            "name": step.name,
            "type": step.type,
            "start_ms": step.at,
            "duration_ms": step.duration,
            "cost_usd": None if step.cost is None else step.cost / PICO,
            "level": step.level,
            "children": tree(steps, step.id),
        }
        for step in chosen
    ]
    return sorted(found, key=lambda step: step["id"])


def test_timeline_has_each_step_once_with_its_duration(index: Index) -> None:
    """What is told when it begins and again when it ends is one event of the timeline."""
    for told in TRUTH["sessions"]:
        whole = index.reader.whole(told["service"], told["session_id"])
        assert whole is not None
        steps = [e for _, e in whole.moments if e.kind == Kind.OBSERVATION]
        took = sum(
            e.value or 0 for e in steps if (e.facts or {})["type"] == "GENERATION"
        )

        assert len(steps) == told["observation_count"]
        assert took == (told["sum_generation_ms"] or 0)
