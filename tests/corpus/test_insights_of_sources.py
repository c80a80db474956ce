"""Sessions of every source can be shown whole; Langfuse's users cost what is true."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.corpus.worlds import index_of, truth
from tests.driver import Index

SOURCES = ("openobserve", "clm", "langfuse")
WAYS = ("", "/timeline", "/timeline?format=logs", "/tree", "/tree?format=trace")
SEED = """\
Session: analysis_abc123 (15.2s, $0.23)
├── url_fetch (1.0s, $0.02)
├── content_analysis (12.5s, $0.18)
│   ├── retrieval (0.5s, $0.01)
│   ├── security_audit (3.0s, $0.05)
│   ├── tech_comparison (2.5s, $0.04)
│   └── implementation_plan (6.5s, $0.08)
└── quality_gate (1.7s, $0.03)
"""

Made = tuple[str, Index, FlaskClient]


@pytest.fixture(scope="module", params=SOURCES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    """Return the index of one corpus, and a client of a service over it."""
    name = request.param
    index = index_of(name, tmp_path_factory.mktemp(name))
    yield name, index, create_app(index.settings).test_client()
    index.close()


def test_every_session_can_be_shown(made: Made) -> None:
    """In every shape; errors are all there, and nodes of the tree hang together."""
    _, index, client = made

    rows = index.rows()
    for row in rows:
        path = f"/api/v1/sessions/{quote(row['app'], '')}/{quote(row['id'], '')}"
        answers = [client.get(path + way) for way in WAYS]
        assert [each.status_code for each in answers] == [200] * len(WAYS)
        detail, spans = answers[0].get_json(), answers[-1].get_json()
        assert detail["overview"]["id"] == row["id"]
        assert sum(each["count"] for each in detail["errors"]) == row["errors"]
        ids = {span["spanID"] for span in spans}
        assert len(ids) == len(spans)
        assert {span["parentSpanID"] for span in spans} <= {"", *ids}
    assert rows


@pytest.mark.parametrize("made", ["langfuse"], indirect=True)
def test_tree_is_that_of_the_guide(made: Made) -> None:
    """The session view of the guide, to the letter."""
    path = "/api/v1/sessions/skillforge-api/analysis_abc123/tree?format=text"

    assert made[2].get(path).get_data(as_text=True) == SEED


@pytest.mark.parametrize("made", ["langfuse"], indirect=True)
def test_users_cost_what_their_sessions_cost(made: Made) -> None:
    """Sessions, costs, tokens and latency of each user, dearest first."""
    asked = {"from": 0, "sort": "-cost", "format": "rows", "limit": 1000}
    rows = made[2].get("/api/v1/users", query_string=asked).get_json()

    expected: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for told in truth("langfuse")["sessions"]:
        if told["user"]:
            expected[told["user"]].append(told)
    assert {row["user"] for row in rows} == set(expected)
    for row in rows:
        known = expected[row["user"]]
        latency = sum(each["sum_trace_latency_ms"] for each in known)
        traces = sum(each["trace_count"] for each in known)
        cost = sum(Decimal(each["total_cost_usd"]) for each in known)
        assert row["sessions"] == len(known)
        assert row["cost"] == pytest.approx(float(cost), abs=1e-9)
        assert row["tokens"] == sum(each["tokens_total"] for each in known)
        assert row["latency_avg"] == pytest.approx(latency / traces)
    costs = [row["cost"] for row in rows]
    assert costs == sorted(costs, reverse=True)
