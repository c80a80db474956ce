"""Filters: one grammar for every field, in a URL, a form or JSON."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Get
from tests.api.shop import END, START


def count(get: Get, **filters: Any) -> int:
    """Count the sessions that filters select."""
    found: int = get("query", **filters)[0]["sessions"]
    return found


@pytest.mark.parametrize(
    ("filters", "sessions"),
    [
        ({}, 12),
        ({"app": "shop"}, 9),
        ({"app": "shop,blog"}, 11),
        ({"app": ["shop", "blog"]}, 11),
        ({"app": "!shop"}, 3),
        ({"app": "!=shop,blog"}, 1),
        ({"app!": "shop"}, 3),
        ({"app": "=shop"}, 9),
        ({"app": "~sh.*"}, 10),
        ({"app": "=~shop"}, 9),
        ({"app": "!~shop"}, 3),
        ({"app": '["shop.example.com"]'}, 1),
        ({"app": r"shop\.example\.com"}, 1),
        ({"errors": ">0"}, 1),
        ({"errors>": "1"}, 1),
        ({"errors": "0"}, 11),
        ({"duration": ">=2m"}, 6),
        ({"duration": ">=120000", "country": "SE"}, 6),
        ({"duration": "1s..1m"}, 6),
        ({"duration": "..1s"}, 1),
        ({"duration": ["> 1s", "<2m"]}, 5),
        ({"bounced": "true", "app": "shop"}, 2),
        ({"page": "/pay"}, 2),
        ({"page": "/cart", "entry": "/"}, 6),
        ({"error": "TypeError"}, 1),
        ({"message": "TypeError: it broke, badly"}, 1),
        ({"action": '"buy, now"'}, 1),
        ({"text": "buy"}, 1),
        ({"start": f">={START + 5 * 3_600_000}"}, 2),
        ({"app": "$app", "errors": ">${x}", "page": "~$re", "text": "${q}"}, 12),
        ({"_": "cache-buster"}, 12),
        ({"to": START + 3_600_000}, 1),
        ({"from": "2025-11-20T04:00:00Z"}, 5),
        ({"from": "now-1h", "to": "now"}, 2),
        ({"user": "u0"}, 3),
    ],
)
def test_filter_selects(get: Get, filters: dict[str, Any], sessions: int) -> None:
    """Each way to say it selects the sessions that it should."""
    assert count(get, **filters) == sessions


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"browzer": "x"}, "no parameter 'browzer'; did you mean 'browser'?"),
        ({"errors": "many"}, "'errors' is a number, and 'many' is not"),
        ({"bounced": "perhaps"}, "'bounced' is a boolean, and 'perhaps' is not"),
        ({"app": ">shop"}, "'app' cannot be compared by > with ['shop']"),
        ({"errors": "~1"}, "'errors' is a number: =~ is for text"),
        ({"app": "~["}, "bad pattern"),
        ({"errors": ".."}, "'errors' takes a range as 1000..5000"),
        ({"app": ["a"] * 1_001 + list(map(str, range(1_001)))}, "more than 1000"),
        ({"app": "x" * 5_000}, "is over 4096 long"),
        ({"app": "~" + "x" * 501}, "is over 500 long"),
        ({"from": "never"}, "cannot read the time 'never'"),
        ({"from": END}, "is not before 'to'"),
        ({"metric": "sesions"}, "did you mean 'sessions'?"),
        (
            {"metric": "resources"},
            "it is a field: ask q={ } | sum_over_time(resources)",
        ),
        ({"by": "duration"}, "cannot group by 'duration'"),
        ({"zzz": "x"}, "no parameter 'zzz'; /api/v1 lists them all"),
        ({"by": "app,browser,os,device,country,page"}, "more than 5 labels"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    refuse: Get, filters: dict[str, Any], message: str
) -> None:
    """A refusal says what is wrong and what would do."""
    assert message in refuse("query", **filters)


def test_all_problems_are_told_at_once(refuse: Get) -> None:
    """Nobody has to ask again and again."""
    message = refuse("query", metric="foo", by="bar", errors="x", browzer="y")

    for name in ("'foo'", "'bar'", "'errors'", "'browzer'"):
        assert name in message


@pytest.mark.parametrize("kind", ["json", "form", "url"])
def test_post_asks_like_get(client: FlaskClient, kind: str) -> None:
    """A question too long for a URL is posted, as JSON or as a form."""
    asked = {"from": START, "to": END, "app": ["shop", "blog"], "errors": ">0"}
    more: dict[str, Any] = {
        "json": {"json": asked},
        "form": {"data": asked},
        "url": {"query_string": asked},
    }[kind]

    response = client.post("/api/v1/query", **more)

    assert response.get_json() == [{"sessions": 1}]


def test_json_lists_are_literal(client: FlaskClient) -> None:
    """A value in a JSON list may hold what would separate values elsewhere."""
    asked = {"from": START, "to": END, "action": ["buy, now"], "errors": 0}

    response = client.post("/api/v1/query", json=asked)

    assert response.get_json() == [{"sessions": 1}]


def test_status_that_there_is_not(get: Get, client: FlaskClient) -> None:
    """No session has it, also of one user, whose sessions an index finds."""
    known = get("users/u1")["sessions"]

    response = client.get("/api/v1/users/u1?status=7")
    assert response.status_code == 404
    assert get("users/u1", status="!7")["sessions"] == known
