"""The tree of a session: traces with steps, views with what they held, drawn as text."""

from typing import Any

import msgspec
import pytest

from app.model import Figures, Session, Step, Trace
from app.sessions.tree import Tree, draw_tree, grow_tree
from tests.build import action, item, js_error, page_load
from tests.driver import Index

CENT = 10_000_000_000  # pico-USD
SEED = """\
Session: s1 (15.2s, $0.23)
├── url_fetch (1.0s, $0.02)
├── content_analysis (12.5s, $0.18)
│   ├── retrieval (0.5s, $0.01)
│   ├── security_audit (3.0s, $0.05)
│   ├── tech_comparison (2.5s, $0.04)
│   └── implementation_plan (6.5s, $0.08)
└── quality_gate (1.7s, $0.03)
"""


def step(
    name: str, at: int, duration: int, cents: int | None, parent: str = ""
) -> Step:
    """Build a generation, or a span when it has no cost of its own."""
    return Step(
        id=f"step-{name}", parent=parent, type="GENERATION" if cents else "SPAN",
        name=name, at=at, duration=duration, level="DEFAULT", message="", model="",
        cost=None if cents is None else cents * CENT, tokens_in=0, tokens_out=0,
        tokens=0, first_token=None, is_counted=True,
    )  # fmt: skip


def trace(name: str, at: int, latency: int, cents: int, *steps: Step) -> Trace:
    """Build a trace."""
    return Trace(
        id=f"trace-{name}", name=name, at=at, latency=latency, user="",
        cost=cents * CENT, tokens_in=0, tokens_out=0, tokens=0, errors=0, steps=steps,
    )  # fmt: skip


@pytest.fixture
def session(index: Index) -> Session:
    """Return a session in which something happened, with nothing to nest."""
    index.ingest(page_load("s1", "10:00:00"))
    return index.session("s1")


def traced(session: Session, *traces: Trace, **more: Any) -> Tree:
    """Grow the tree of a session with *traces*."""
    cost = sum(each.cost for each in traces)
    known = msgspec.structs.replace(
        session, views=(), traces=traces, figures=Figures(cost=cost), **more
    )
    return grow_tree(known, (), {}, 100)


def test_traces_are_drawn_as_in_the_ui_they_come_from(session: Session) -> None:
    """Durations in seconds, costs in dollars, steps below their trace."""
    at = session.start
    plan = [
        step("retrieval", at + 1000, 500, 1, "step-content_analysis"),
        step("security_audit", at + 1500, 3000, 5, "step-content_analysis"),
        step("tech_comparison", at + 4500, 2500, 4, "step-content_analysis"),
        step("implementation_plan", at + 7000, 6500, 8, "step-content_analysis"),
    ]
    content = step("content_analysis", at + 1000, 12_500, None)
    tree = traced(
        session,
        trace("url_fetch", at, 1000, 2, step("url_fetch", at, 1000, 2)),
        trace("content_analysis", at + 1000, 12_500, 18, content, *plan),
        trace("quality_gate", at + 13_500, 1700, 3),
        end=at + 15_200,
    )

    assert draw_tree(tree) == SEED


def test_steps_in_a_circle_are_told(session: Session) -> None:
    """Sources say anything; no step is lost, and nothing runs for ever."""
    a, b = step("a", 1, 1, 1, "step-b"), step("b", 2, 1, 1, "step-a")
    tree = traced(session, trace("t", 0, 9, 2, step("c", 0, 1, 1, "nobody"), a, b))

    assert {node.name for node in tree.nodes} == {"s1", "t", "a", "b", "c"}
    assert len({node.id for node in tree.nodes}) == len(tree.nodes)


def test_events_stand_below_the_view_they_happened_on(index: Index) -> None:
    """Actions, errors and requests, each once, in order, with the view's own time."""
    request = {
        "event_name": "faro.performance.resource",
        "event_data_name": "https://api.example.com/cart?id=5",
        "event_data_duration": "250",
        "event_data_responseStatus": "503",
        "event_data_initiatorType": "fetch",
    }
    index.ingest(
        [
            *page_load("s1", "10:00:00", "/"),
            *page_load("s1", "10:01:00", "/cart", how="resume"),
            *action("s1", "10:00:10", "search"),
            *action("s1", "10:01:10", "pay", "/cart"),
            *js_error("s1", "10:01:12", "boom", "/cart"),
            *item(
                "event", "s1", "10:01:11", "", page_url="https://shop.example.com/cart",
                **request,
            ),
        ]
    )  # fmt: skip
    whole = index.reader.whole("shop", "s1")
    assert whole is not None

    tree = grow_tree(whole.session, whole.moments, whole.contexts, 100)

    assert [(node.depth, node.kind, node.name) for node in tree.nodes] == [
        (0, "session", "s1"),
        (1, "view", "/"),
        (2, "action", "search"),
        (1, "view", "/cart"),
        (2, "action", "pay"),
        (2, "request", "/cart"),
        (2, "error", "TypeError"),
    ]
    assert tree.nodes[1].duration == 60_000
    assert tree.nodes[5].message == "status 503"
    assert tree.nodes[5].service == "api.example.com"


def test_the_most_telling_stays_when_it_is_cut(index: Index) -> None:
    """Errors stay before actions, and how many were left out is said."""
    index.ingest(
        [
            *page_load("s1", "10:00:00", "/"),
            *(each for n in range(9) for each in action("s1", f"10:00:1{n}", f"a{n}")),
            *js_error("s1", "10:00:30", "boom"),
        ]
    )
    whole = index.reader.whole("shop", "s1")
    assert whole is not None

    tree = grow_tree(whole.session, whole.moments, whole.contexts, 3)

    assert [node.kind for node in tree.nodes] == ["session", "view", "action", "error"]
    assert tree.cut == 8
    assert draw_tree(tree).endswith("(8 more are not shown)\n")
