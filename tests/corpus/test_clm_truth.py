"""Sessions of the CLM tracker agree with the plan that made its lines, field by field."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from statistics import mean
from typing import Any

import pytest

from app.model import Kind, Session
from app.sessionql.plan import Compare, Leaf
from app.sessions.tree import grow_tree
from tests.corpus.worlds import differences, index_of, truth
from tests.driver import WHOLE, Index

TRUTH = truth("clm")
# Its last view was left open by a flush that never came; that it was, no line tells.
UNKNOWABLE = "last_batch_lost_on_unload"
APP = Compare("app", "=", ("clm-frontend",))


@pytest.fixture(scope="module")
def index(tmp_path_factory: Any) -> Iterator[Index]:
    """Return the index of all lines, read in order."""
    made = index_of("clm", tmp_path_factory.mktemp("clm"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "told", TRUTH["sessions"], ids=lambda told: f"{told['note']}-{told['session_id']}"
)
def test_session_agrees_with_the_plan(index: Index, told: dict[str, Any]) -> None:
    """Every field of the truth that lines can tell."""
    session = index.session(told["session_id"], told["app"])
    wanted = {**told, **told["counts"]}
    if told["note"] == UNKNOWABLE:
        del wanted["open_dwell_last_component_ms"]
    for name in ("counts", "raw_lines", "loki_lines_after_native_dedup", "lost_events"):
        del wanted[name]

    assert list(differences(described(index, session), wanted | {"note": ""})) == []


@pytest.mark.parametrize(
    "told", TRUTH["sessions"], ids=lambda told: f"{told['note']}-{told['session_id']}"
)
def test_the_tree_holds_what_happened_in_each_component(
    index: Index, told: dict[str, Any]
) -> None:
    """The tracker tells of a component's last actions in the ms in which it is left."""
    whole = index.reader.whole(told["app"], told["session_id"])
    assert whole is not None
    nodes = grow_tree(whole.session, whole.moments, whole.contexts, 500).nodes
    views = {node.id: node for node in nodes if node.kind == "view"}
    pages = {
        (view.at, view.title or view.page): view.page for view in whole.session.views
    }
    held = Counter(
        (node.at, node.name, pages[views[node.parent].at, views[node.parent].name])
        for node in nodes
        if node.parent in views
    )
    actions = Counter(
        (at, event.name, whole.contexts[event.context].page)
        for at, event in whole.moments
        if event.kind == Kind.ACTION and views
    )

    assert actions <= held


def test_every_line_is_counted(index: Index) -> None:
    """What is malformed or has no session is dropped by reason, the rest is read."""
    (status,) = index.reader.sources()

    assert sum(status.dropped.values()) == TRUTH["malformed_or_sessionless_lines"]
    assert status.decoded + sum(status.dropped.values()) == status.entries


def test_aggregates_agree(index: Index) -> None:
    """Every figure of the seed's panels, over the sessions of the frontend."""
    told = TRUTH["aggregates"]
    views = [view for each in frontend(index) for view in each.views]
    dwells: dict[str, list[int]] = defaultdict(list)
    for view in views:
        if view.dwell is not None:
            dwells[view.page].append(view.dwell)
    moves = [
        f"{one.page} -> {two.page}"
        for each in frontend(index)
        for one, two in pairwise(each.views)
    ]

    assert Counter(view.page for view in views) == told["visits_by_component"]
    assert {page: round(mean(each) / 1000, 3) for page, each in dwells.items()} == told[
        "avg_dwell_seconds_by_component"
    ]
    assert {page: len(each) for page, each in dwells.items()} == told[
        "dwell_samples_by_component"
    ]
    assert Counter(moves) == told["transitions"]
    assert len(views) == told["total_visits"]
    assert len({u for e in frontend(index) if e.views for u in e.users}) == 28
    assert Counter(e.entry for e in frontend(index) if e.views) == told["entry_points"]


def test_answers_agree(index: Index) -> None:
    """The same by questions that panels ask."""
    told = TRUTH["aggregates"]

    def ask(leaf: Leaf) -> dict[tuple[Any, ...], Any]:
        return {
            labels: value for labels, _, value in index.reader.evaluate(leaf, WHOLE)
        }

    bounced = Leaf("share", selector=APP, where=Compare("bounced", "=", (True,)))
    assert ask(Leaf("count", selector=APP)) == {(): told["sessions"]}
    assert ask(bounced) == {(): pytest.approx(told["bounce_rate"], abs=1e-6)}
    assert ask(Leaf("sum", "views", selector=APP)) == {(): told["total_visits"]}
    assert ask(Leaf("avg", "duration", selector=APP)) == {
        (): pytest.approx(told["session_duration_avg_ms"], abs=1e-3)
    }
    assert ask(Leaf("quantile", "duration", (0.95,), selector=APP)) == {
        (): pytest.approx(told["session_duration_p95_ms_linear_interp"])
    }
    dwell = ask(Leaf("avg", "dwell", selector=APP, by=("page",)))
    assert {
        labels[0]: round(value / 1000, 3) for labels, value in dwell.items() if value
    } == told["avg_dwell_seconds_by_component"]


def frontend(index: Index) -> list[Session]:
    """Return the sessions that the aggregates are about."""
    return [
        index.session(told["session_id"], told["app"])
        for told in TRUTH["sessions"]
        if told["app"] == "clm-frontend"
    ]


def described(index: Index, session: Session) -> dict[str, Any]:
    """Return a session in the words of the truth."""
    events, _ = index.reader.events(session.key.app, session.key.id)
    pages = [view.page for view in session.views]
    dwells: dict[str, list[int]] = defaultdict(list)
    for view in session.views:
        if view.dwell is not None:
            dwells[view.page].append(view.dwell)
    return {
        "note": "",
        "app": session.context.app,
        "session_id": session.key.id,
        "user": session.context.user_id,
        "users": list(session.users),
        "start_ms": session.start,
        "end_ms": session.end,
        "duration_ms": session.end - session.start,
        "visits": session.view_count,
        "exits": sum(event.kind == 12 for event in events),
        "interactions": session.action_count,
        "errors": session.errors,
        "unique_events": session.events,
        "components_in_order": pages,
        "component_names_in_order": [view.title or None for view in session.views],
        "distinct_components": len(set(pages)),
        "entry": session.entry or None,
        "exit": session.exit or None,
        "transitions": [list(each) for each in pairwise(pages)],
        "dwell_ms_from_exit_events": dwells,
        "open_dwell_last_component_ms": session.figures.open_dwell,
        "bounce": session.view_count <= 1,
        "bounce_distinct_component": len(set(pages)) <= 1,
    }
