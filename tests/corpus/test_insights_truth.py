"""Users, errors, pages and journeys of a simulated world are as they truly were."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.demo.world import SessionTruth, World
from tests.build import HOUR
from tests.worlds import NOON, Told, told_world

Row = dict[str, Any]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Return a world of an hour, read; its Loki still answers."""
    path = tmp_path_factory.mktemp("insights") / "skald.db"
    world = World(77, sessions_per_hour=150, visitors=60, dialect="mixed")
    with told_world(world, path, minutes=40) as found:
        yield found


@pytest.fixture(scope="module")
def client(told: Told) -> FlaskClient:
    """Return a client of a service over it."""
    return create_app(told.index.settings).test_client()


@pytest.fixture
def ask(told: Told, client: FlaskClient) -> Any:
    """Ask about the sessions of which the truth is known, and about no others."""
    ids = [truth.session_id for truth in told.truths]

    def asked(path: str, **more: Any) -> Any:
        body = {"from": NOON - HOUR, "to": NOON + 6 * HOUR, "id": ids, **more}
        response = client.post(f"/api/v1/{path}", json=body)
        assert response.status_code == 200, response.get_data()
        return response.get_json()

    return asked


def who(truth: SessionTruth) -> str:
    """Return how the index names the user of a session."""
    person = truth.user
    return (person.id or person.email or person.username) if person else ""


def test_users_are_those_who_were_there(told: Told, ask: Any) -> None:
    """Of each user all sessions count, and no other's."""
    rows = ask("users", format="rows", limit=1000)

    expected: dict[str, list[SessionTruth]] = {}
    for truth in told.truths:
        if truth.user:
            expected.setdefault(who(truth), []).append(truth)
    assert len(expected) > 10
    assert {row["user"]: row["sessions"] for row in rows} == {
        user: len(known) for user, known in expected.items()
    }
    for row in rows:
        known = expected[row["user"]]
        assert row["views"] == sum(each.views for each in known)
        assert row["errors"] == sum(each.errors for each in known)
        assert row["errored_sessions"] == sum(each.errors > 0 for each in known)
        assert row["first_seen"] == min(each.start_ms for each in known)
        assert row["last_seen"] == max(each.end_ms for each in known)


def test_one_user_is_what_the_list_says(ask: Any) -> None:
    """The figures of one user agree with those of the list."""
    best = ask("users", format="rows", sort="-sessions", limit=1)[0]

    one = ask(f"users/{best['user']}")

    assert {name: one[name] for name in best} == best
    assert sum(each["sessions"] for each in one["by"]["app"]) == best["sessions"]
    assert len(one["recent"]) == min(20, best["sessions"])


def test_errors_add_up(told: Told, ask: Any) -> None:
    """Every error is in one group, and each group knows its sessions."""
    rows = ask("errors", format="rows", limit=1000)

    assert sum(row["count"] for row in rows) == sum(t.errors for t in told.truths)
    for row in rows[:3]:
        one = ask(f"errors/{row['fingerprint']}")
        assert one["count"] == row["count"]
        assert one["sessions"] == row["sessions"]
        assert sum(each["sessions"] for each in one["by"]["page"]) >= row["sessions"]
        assert row["first_seen"] <= row["last_seen"]


def test_pages_were_viewed_that_often(told: Told, ask: Any) -> None:
    """Views, entries and exits of each page are those of the visitors."""
    rows = ask("pages", format="rows", limit=1000)

    views = Counter(page for truth in told.truths for page in truth.pages)
    seen: dict[str, set[str]] = {}
    for truth in told.truths:
        for page in truth.pages if truth.user else ():
            seen.setdefault(page, set()).add(who(truth))
    entries = Counter(truth.entry for truth in told.truths if truth.pages)
    exits = Counter(truth.exit for truth in told.truths if truth.pages)
    assert {row["page"]: row["views"] for row in rows} == views
    assert {row["page"]: row["users"] for row in rows if row["users"]} == {
        page: len(users) for page, users in seen.items()
    }
    assert {row["page"]: row["entries"] for row in rows if row["entries"]} == entries
    assert {row["page"]: row["exits"] for row in rows if row["exits"]} == exits


def test_visitors_went_that_way(told: Told, ask: Any) -> None:
    """Transitions are those of the visitors, each as often as it happened."""
    rows = ask("paths", format="flow", top=200, limit=5000)

    expected: Counter[tuple[str, str]] = Counter()
    for truth in told.truths:
        if truth.pages:
            steps = ["(entry)", *truth.pages, "(exit)"]
            expected.update(pairwise(steps))
    assert {(row["source"], row["target"]): row["value"] for row in rows} == expected


def test_funnel_counts_who_came_how_far(told: Told, ask: Any) -> None:
    """Sessions with the first pages in that order, whatever lies between."""
    steps = ["/", "~/product/.*", "/cart"]

    found = ask("funnel", steps=steps, app="tealeaf-shop", dropped=2, limit=1000)

    depths = [depth_of(truth) for truth in told.truths if truth.app == "tealeaf-shop"]
    assert [row["sessions"] for row in found["steps"]] == [
        sum(depth >= level for depth in depths) for level in (1, 2, 3)
    ]
    assert found["steps"][0]["sessions"] > 0
    assert len(found["dropped"]) == depths.count(2)


def depth_of(truth: SessionTruth) -> int:
    """Return how many of the three steps a visitor made, in order."""
    depth = 0
    for page in truth.pages:
        makes = (page == "/", page.startswith("/product/"), page == "/cart")
        if depth < 3 and makes[depth]:
            depth += 1
    return depth


def test_raw_lines_are_all_there(told: Told, client: FlaskClient) -> None:
    """Page by page every line that Loki keeps of a session, each once, in order."""
    truth = max(told.truths, key=lambda each: each.stored)
    path = f"/api/v1/sessions/{truth.app}/{truth.session_id}/logs"

    rows: list[Row] = []
    cursor = ""
    while cursor is not None:
        page = client.get(path, query_string={"limit": 20, "cursor": cursor}).get_json()
        rows += page["items"]
        cursor = page["next_cursor"]

    mine = [row for row in rows if f"session_id={truth.session_id}" in row["body"]]
    assert len(mine) >= truth.stored or "json" in rows[0]["body"]
    assert len({row["id"] for row in rows}) == len(rows)
    assert [row["ns"] for row in rows] == sorted(row["ns"] for row in rows)
    assert all(truth.session_id in row["body"] for row in rows)


def test_sessions_of_a_user_are_neighbours(told: Told, client: FlaskClient) -> None:
    """From a session one comes to the same user's one before it and after it."""
    by_user: dict[tuple[str, str], list[SessionTruth]] = {}
    for truth in told.truths:
        if truth.user:
            by_user.setdefault((truth.app, who(truth)), []).append(truth)
    known = sorted(max(by_user.values(), key=len), key=lambda each: each.start_ms)
    assert len(known) >= 3

    for index in range(1, len(known) - 1):
        one = known[index]
        path = f"/api/v1/sessions/{one.app}/{one.session_id}"
        beside = client.get(path).get_json()["neighbours"]
        assert beside["previous"]["id"] == known[index - 1].session_id
        assert beside["next"]["id"] == known[index + 1].session_id


def test_whole_session_agrees_with_the_truth(told: Told, client: FlaskClient) -> None:
    """Views, errors, actions, resources of the detail are those that happened."""
    for truth in sorted(told.truths, key=lambda each: -each.resources)[:5]:
        path = f"/api/v1/sessions/{truth.app}/{truth.session_id}"
        found = client.get(path, query_string={"limit": 1000}).get_json()

        assert [each["page"] for each in found["views"]] == list(truth.pages)
        assert sum(each["count"] for each in found["errors"]) == truth.errors
        assert sum(each["count"] for each in found["resource_types"]) >= truth.resources
        assert found["cut"] == {}

        timeline = client.get(f"{path}/timeline", query_string={"kind": "resource"})
        assert timeline.get_json()["total"] == truth.resources
