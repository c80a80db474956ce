"""Much of everything: answers stay as short as they were asked for, and say so."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.events.decoder import Batch
from app.model import Context, Event, Kind
from app.settings import Settings
from app.store.seam import Progress
from app.store.writer import SqliteWriter
from tests.api.shop import HOUR, START

EVENTS, KEPT = 4_000, 1_000  # of one session
SESSIONS = 600  # of one user, each on two pages of its own
STRANGERS = 1_200  # users, each with an error of its own
RANGE = {"from": START, "to": START + 24 * HOUR}


def noise() -> Iterator[Event]:
    """Make requests, all of one session."""
    for key in range(1, EVENTS + 1):
        at = START + key
        facts = {"status": 200, "type": "img", "bytes": 10}
        url = f"https://cdn.example.com/{key}.png"
        yield Event(key, at * 1000, at, int(Kind.RESOURCE), 1, url, 5.0, facts)


def strangers(batch: Batch) -> None:
    """Add users who each meet an error that nobody else does."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in range(STRANGERS):
        word = "".join(letters[number // 26**n % 26] for n in range(4))
        at, key = START + number * 500, 50_000 + 2 * number
        batch.contexts[key] = Context(app="shop", page="/err", user_id=f"u-{word}")
        batch.events["shop", f"e{number}"] = [
            Event(key, at * 1000, at, int(Kind.LOAD), key),
            Event(
                key + 1, (at + 1) * 1000, at + 1, int(Kind.ERROR), key, f"Error{word}",
                None, {"type": f"Error{word}", "message": f"boom {word}"},
            ),
        ]  # fmt: skip


@pytest.fixture(scope="module", params=["tables", "columns"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> FlaskClient:
    """Return a client of a service over much of everything, by table and by column."""
    path = tmp_path_factory.mktemp("bounds") / "skald.db"
    writer = SqliteWriter(path, "default")
    writer.ingest("faro", Batch(), Progress(0))
    writer.declare("faro", 900_000, KEPT)
    batch = Batch(contexts={1: Context(app="shop", page="/big")})
    batch.events["shop", "big"] = list(noise())
    for number in range(SESSIONS):
        at = START + number * 1000
        for n in range(2):
            page, key = f"/p/{number}/{n}", 10_000 + 2 * number + n
            batch.contexts[key] = Context(app="shop", page=page, user_id="one")
            event = Event(key, (at + n) * 1000, at + n, int(Kind.LOAD), key)
            batch.events.setdefault(("shop", f"s{number}"), []).append(event)
    strangers(batch)
    writer.ingest("faro", batch, Progress(0))
    while request.param == "columns" and writer.roll_up(1 << 52, "single_view"):
        pass
    writer.close()
    return create_app(Settings(index=path)).test_client()


def test_session_with_too_many_events(client: FlaskClient) -> None:
    """What was kept is shown a page at a time, and that there was more is said."""
    detail = client.get("/api/v1/sessions/shop/big", query_string={"limit": 10})
    tree = client.get("/api/v1/sessions/shop/big/tree", query_string={"limit": 10})
    rows = client.get("/api/v1/sessions/shop/big/timeline?format=rows&limit=10")

    assert detail.get_json()["cut"]["resources"] == {"shown": 10, "of": KEPT}
    assert detail.get_json()["overview"]["is_cut"]
    assert tree.get_json()["cut"] == KEPT + 1 - 10
    assert len(rows.get_json()) == 10
    kept = f"only the first {KEPT} events of this session were kept"
    assert rows.headers["Skald-Notice"] == f"showing 10 of {KEPT} events; {kept}"


def test_user_with_too_many_sessions(client: FlaskClient) -> None:
    """Figures are of all sessions, lists of the newest and the most frequent."""
    found = client.get("/api/v1/users/one", query_string=RANGE).get_json()

    assert found["sessions"] == SESSIONS
    assert [each["id"] for each in found["recent"]][:2] == ["s599", "s598"]
    assert len(found["recent"]) == 20
    assert len(found["by"]["page"]) == 10


def test_more_pages_than_can_be_shown(client: FlaskClient) -> None:
    """Pages beyond the top are one place in a graph; in a list they come page by page."""
    asked = {**RANGE, "top": 5, "limit": 8}
    graph = client.get("/api/v1/paths", query_string=asked).get_json()
    asked = {**RANGE, "format": "rows", "limit": 7}
    rows = client.get("/api/v1/pages", query_string=asked)

    pages = 2 * SESSIONS + 2
    assert len(graph["edges"]) == 8
    assert f"5 of {pages} pages told apart" in graph["notices"]
    assert len(rows.get_json()) == 7
    assert rows.headers["Skald-Notice"] == f"showing 7 of {pages}"


def test_too_many_views_are_estimated(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the budget every so many-th session stands for all; that is said, and near.

    Columns look at all of them all the same.
    """
    monkeypatch.setattr("app.store.sampling.BUDGET", SESSIONS)
    page = client.get("/api/v1/pages", query_string=RANGE).get_json()
    exact = client.get("/api/v1/pages", query_string={**RANGE, "sample": 1}).get_json()
    asked = {**RANGE, "steps": "~/p/.*/0,~/p/.*/1"}
    funnel = client.get("/api/v1/funnel", query_string=asked).get_json()

    estimate = funnel["steps"][1]["sessions"]
    if not page["notices"]:
        assert page["items"] == exact["items"]
        assert estimate == SESSIONS
        return
    assert "one session in" in page["notices"][0]
    assert exact["notices"] == []
    assert exact["total"] == 2 * SESSIONS + 2
    assert abs(estimate - SESSIONS) < SESSIONS * 0.4
    assert "one session in" in funnel["notices"][0]


def test_more_users_and_errors_than_can_be_listed(client: FlaskClient) -> None:
    """Lists come page by page in a total order; how many there are is told."""
    for name, total in (("users", STRANGERS + 1), ("errors", STRANGERS)):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            asked = {**RANGE, "limit": 500, "cursor": cursor}
            found = client.get(f"/api/v1/{name}", query_string=asked).get_json()
            assert found["total"] == total
            seen += [each.get("user") or each["fingerprint"] for each in found["items"]]
            cursor = found["next_cursor"]
        assert len(seen) == len(set(seen)) == total


def test_variables_say_what_they_leave_out(client: FlaskClient) -> None:
    """The most frequent values are offered, and that there are more is said."""
    for name, few in (("user", 1_000), ("page", 1_000), ("fingerprint", 7)):
        asked = {**RANGE, "limit": few}
        rows = client.get(f"/api/v1/variables/{name}", query_string=asked)

        assert len(rows.get_json()) == few
        notice = f"showing {few} values, the most frequent"
        assert rows.headers["Skald-Notice"] == notice
    whole = client.get("/api/v1/variables/app", query_string=RANGE)
    assert "Skald-Notice" not in whole.headers


def test_figures_by_what_has_many_values(client: FlaskClient) -> None:
    """The largest series are shown, and how many there are is said."""
    for by, count in (("user", STRANGERS + 2), ("fingerprint", STRANGERS)):
        asked = {**RANGE, "metric": "sessions", "by": by, "step": "6h"}
        rows = client.get("/api/v1/query_range", query_string=asked)

        told = rows.headers["Skald-Notice"]
        assert told.startswith(f"showing 1000 of {count} series, the largest")


def test_funnels_told_apart_by_many(client: FlaskClient) -> None:
    """Those beyond the largest are one group."""
    asked = {
        **RANGE,
        "steps": "~..*,~/p/.*",
        "by": "user",
        "groups": 3,
        "format": "rows",
    }
    rows = client.get("/api/v1/funnel", query_string=asked).get_json()

    assert len(rows) == 2 * 4
    assert rows[0]["user"] == "one"
    assert rows[-2]["user"] == "(other)"
    assert sum(each["sessions"] for each in rows[::2]) == SESSIONS + STRANGERS + 1


def test_lists_of_who_dropped_off_say_how_many_there_are(client: FlaskClient) -> None:
    """The newest are listed, in either layout."""
    asked = {**RANGE, "step": ["page=~/p/.*", "page=/none"], "dropped": 1, "limit": 2}
    page = client.get("/api/v1/funnel", query_string=asked)
    rows = client.get("/api/v1/funnel", query_string=asked | {"format": "sessions"})

    said = f"showing 2 of {SESSIONS} that dropped off"
    assert page.get_json()["notices"] == [said]
    assert rows.headers["Skald-Notice"] == said
    assert len(rows.get_json()) == 2
