"""Search: every session once, in any order; one session, whole."""

from flask.testing import FlaskClient

from tests.api.conftest import Get
from tests.api.shop import END, START


def test_pages_show_every_session_once(get: Get) -> None:
    """Following the cursor visits all sessions, in order, and ends with null."""
    seen, cursor, totals = [], "", set()
    while True:
        page = get("sessions", limit=5, cursor=cursor, sort="-duration")
        seen += page["items"]
        totals.add(page["total"])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len({(each["app"], each["id"]) for each in seen}) == len(seen) == 12
    durations = [each["duration"] for each in seen]
    assert durations == sorted(durations, reverse=True)
    assert totals == {12}


def test_rows_are_a_root_array(get: Get) -> None:
    """Infinity takes them without a selector; all have the same keys."""
    rows = get("sessions", format="rows", sort="start", order="asc", limit=3)

    assert [row["id"] for row in rows] == ["c0", "s1", "c1"]
    assert len({tuple(row) for row in rows}) == 1


def test_wrong_questions_are_refused(refuse: Get) -> None:
    """Sort, order, format and cursor are checked; bounds are told."""
    assert "did you mean 'duration'?" in refuse("sessions", sort="-duraton")
    assert "give asc or desc" in refuse("sessions", order="up")
    assert "give page or rows" in refuse("sessions", format="csv")
    assert "cursor" in refuse("sessions", cursor="nonsense")
    assert refuse("sessions", status=422, limit=1_001) == (
        "limit: give a whole number from 1 to 1000"
    )


def test_one_session_is_whole(client: FlaskClient) -> None:
    """Overview, user, device, views with dwell and vitals, actions and errors."""
    session = client.get("/api/v1/sessions/shop/s2").get_json()

    assert session["overview"]["status"] == "errored"
    assert session["device"]["browser"] == "Safari"
    assert [view["page"] for view in session["views"]] == ["/cart", "/pay"]
    assert session["views"][0]["dwell"] == 60_000
    assert session["errors"][0]["type"] == "TypeError"


def test_session_id_may_hold_a_slash(client: FlaskClient) -> None:
    """Ids are whatever a source calls its sessions."""
    assert client.get("/api/v1/sessions/blog/b%2F2").get_json()["id"] == "b/2"


def test_unknown_session_is_not_found(client: FlaskClient) -> None:
    """The refusal names it."""
    response = client.get("/api/v1/sessions/shop/nobody")

    assert response.status_code == 404
    assert response.get_json() == {
        "message": "no session 'nobody' of the app 'shop'",
        "error": "not_found",
    }


def test_variables_are_chained(get: Get) -> None:
    """Values are those of the sessions that other variables leave; its own is not."""
    assert get("variables/browsers", app="blog") == [
        {"__text": "Firefox", "__value": "Firefox"}
    ]
    assert len(get("variables/app", app="blog")) == 3


def test_variables_name_what_can_be_asked(get: Get, refuse: Get) -> None:
    """Metrics and fields are variables too; others are not found."""
    assert {"__text": "Sessions", "__value": "sessions"} in get("variables/metrics")
    assert "did you mean 'browser'?" in refuse("variables/brwser", status=404)


def test_figures_by_label(get: Get) -> None:
    """One row a label set, largest first, a column a metric, cut where asked."""
    rows = get("query", metric="sessions,views", by="app", limit=2)

    assert rows == [
        {"app": "shop", "sessions": 9, "views": 16},
        {"app": "blog", "sessions": 2, "views": 2},
    ]


def test_metrics_share_a_range(get: Get) -> None:
    """Several metrics are told apart by a label; their buckets are the same."""
    rows = get("query_range", metric="active_sessions,error_rate", step="90s")

    assert {row["metric"] for row in rows} == {"active_sessions", "error_rate"}
    assert rows[2]["time"] - rows[0]["time"] == 120_000


def test_steps_are_round_and_bounded(get: Get, refuse: Get) -> None:
    """A step is chosen for the points wanted; one that makes too many is refused."""
    rows = get("query_range", max_points=10)
    assert [row["time"] for row in rows] == list(range(START, END, 3_600_000))

    assert "use 2s or more" in refuse("query_range", step="1s")
    assert "cannot read the step" in refuse("query_range", step="soon")
