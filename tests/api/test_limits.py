"""A chart with more labels than it has room for shows those that matter."""

import pytest
from flask.testing import FlaskClient

from app.catalog.metrics import METRICS
from tests.api.conftest import Get
from tests.api.shop import END, START

RATES = ("bounce_rate", "error_rate", "crash_free_rate", "duration_p50", "lcp_p75")
ASKED = {"by": "app", "step": "6h", "limit": 1}


@pytest.mark.parametrize("metric", RATES)
def test_rates_are_shown_of_most_sessions(get: Get, metric: str) -> None:
    """The worst rate is that of a label that one session has: it says little."""
    rows = get("query_range", metric=metric, **ASKED)

    assert not METRICS[metric].counts
    assert {row["app"] for row in rows} == {"shop"}


def test_a_rate_that_is_low_is_not_left_out(get: Get) -> None:
    """Cut by value, a chart of rates where more is better would hide what is bad."""
    every = get("query_range", metric="bounce_rate", by="app", step="6h")
    most = max(every, key=lambda row: row["Value"] or 0)

    assert most["app"] != "shop"


def test_counts_are_those_that_are_largest(get: Get) -> None:
    """Of counts the largest are shown."""
    rows = get("query_range", metric="views", by="app", step="6h", limit=2)
    every = get("query_range", metric="views", by="app", step="6h")

    values = sorted((row["Value"] for row in every), reverse=True)
    assert sorted((row["Value"] for row in rows), reverse=True) == values[:2]


def test_an_answer_that_is_cut_says_how(client: FlaskClient) -> None:
    """Which series are left out, and which are not."""
    asked = {"metric": "error_rate", "from": START, "to": END, **ASKED}
    response = client.get("/api/v1/query_range", query_string=asked)

    assert response.headers["Skald-Notice"] == (
        "showing 1 of 3 series, those of most sessions"
    )
