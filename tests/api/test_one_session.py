"""One session over HTTP: whole, in parts, as a timeline, as a tree; always bounded."""

from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.api.details import PARTS
from app.api.timelines import page_of
from app.model import Event
from app.sessions.requests import TIMINGS
from tests.build import action, item, js_error, log, page_load, web_vital
from tests.driver import Index

NOISY = 600
SESSION = "/api/v1/sessions/shop/s1"
RESOURCE = {
    "event_name": "faro.performance.resource",
    "event_data_duration": "20",
    "event_data_initiatorType": "img",
    "event_data_transferSize": "100",
}
SPAN = {
    "event_name": "faro.tracing.fetch",
    "event_data_http.request.method": "POST",
    "event_data_http.response.status_code": "500",
    "event_data_url.full": "https://api.example.com/pay",
    "event_data_duration_ns": "250000000",
    "traceID": "feed",
    "spanID": "beef",
}
TWIN = RESOURCE | {
    "event_data_name": "https://api.example.com/pay",
    "event_data_initiatorType": "fetch",
    "event_data_ttfb": "200",
    "event_data_dnsLookupTime": "12",
    "event_data_tcpHandshakeTime": "30",
    "event_data_tlsNegotiationTime": "20",
    "event_data_responseTime": "50",
}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """Return a client of a service over one session in which much happened."""
    index = Index(tmp_path / "skald.db")
    user = {"user_id": "u1", "user_email": "a@example.com", "user_attr_plan": "pro"}
    index.ingest(
        [
            *page_load("s1", "10:00:00", "/", lcp=2600, **user),
            *web_vital("s1", "10:00:03", "fid", 20, **user),
            *(
                each
                for n in range(NOISY)
                for each in item(
                    "event", "s1", f"10:00:{10 + n / 100}", "",
                    event_data_name=f"https://cdn.example.com/{n}.png", **RESOURCE,
                )
            ),
            *page_load("s1", "10:01:00", "/pay", how="resume", **user),
            *item("event", "s1", "10:01:05", "", **SPAN),
            *item("event", "s1", "10:01:05", "", **TWIN),
            *action("s1", "10:01:06", "pay", "/pay"),
            *js_error("s1", "10:01:07", "no item 17", "/pay"),
            *js_error("s1", "10:01:08", "no item 18", "/pay"),
            *log("s1", "10:01:09", "giving up", level="error", page="/pay"),
            *page_load("s0", "09:00:00", "/", **user),
            *page_load("s2", "11:00:00", "/", **user),
        ]
    )  # fmt: skip
    index.close()
    return create_app(index.settings).test_client()


def test_detail_is_bounded_and_says_so(client: FlaskClient) -> None:
    """Of long lists the first rows are shown, with how many there are."""
    found = client.get(SESSION, query_string={"limit": 50}).get_json()

    assert len(found["resources"]) == 50
    assert found["cut"] == {"resources": {"shown": 50, "of": NOISY}}
    assert found["resource_types"][0] == {
        "type": "img", "count": NOISY, "failed": 0, "bytes": 100 * NOISY,
        "duration": 20 * NOISY,
    }  # fmt: skip


def test_detail_tells_everything(client: FlaskClient) -> None:
    """User, vitals with a rating, errors together with a stack, requests, neighbours."""
    found = client.get(SESSION).get_json()

    assert found["user"]["email"] == "a@example.com"
    assert found["attributes"]["user.plan"] == "pro"
    vitals = {each["name"]: each for each in found["vitals"]}
    assert vitals["lcp"]["rating"] == "needs improvement"
    assert vitals["fid"]["value"] == 20
    error = found["errors"][0]
    assert (error["count"], error["stack"]) == (2, "Error: no item 17")
    assert [each["page"] for each in found["views"]] == ["/", "/pay"]
    beside = found["neighbours"]
    assert (beside["previous"]["id"], beside["next"]["id"]) == ("s0", "s2")


def test_facts_read_as_a_page_for_people(client: FlaskClient) -> None:
    """Labels and units; nothing of what is empty, or of a clock that is right."""
    rows = client.get(SESSION, query_string={"part": "facts"}).get_json()

    told = {row["name"]: row["value"] for row in rows if row["section"] == "overview"}
    assert told["Failed requests"] == "1"
    assert told["Duration"].endswith(" h") or told["Duration"].endswith(" min")
    assert not {"skew", "clamped", "is_cut"} & told.keys()
    assert all(told.values())


def test_browser_and_tracer_saw_one_request(client: FlaskClient) -> None:
    """Method, status and trace come from the one, timings from the other."""
    rows = client.get(SESSION, query_string={"part": "requests"}).get_json()

    assert len(rows) == 1
    request = rows[0]
    assert (request["method"], request["status"], request["trace"]) == (
        "POST", 500, "feed",
    )  # fmt: skip
    assert (request["duration"], request["bytes"]) == (250, 100)
    timings = {name: request[name] for name in TIMINGS if request[name] is not None}
    assert timings == {
        "dns": 12, "tcp": 30, "tls": 20, "request": 200, "ttfb": 200, "response": 50,
    }  # fmt: skip


@pytest.mark.parametrize("part", [part for part in PARTS if part != "traces"])
def test_every_part_is_flat(client: FlaskClient, part: str) -> None:
    """A root array whose rows have the same keys and hold no lists: as Infinity likes."""
    response = client.get(SESSION, query_string={"part": part})

    rows = response.get_json()
    assert rows
    assert len({tuple(row) for row in rows}) == 1
    for row in rows:
        assert not any(isinstance(value, (dict, list)) for value in row.values())


def test_timeline_shows_every_event_once(client: FlaskClient) -> None:
    """Forward and backward, following the cursor, whatever the size of a page."""
    total = client.get(f"{SESSION}/timeline").get_json()["total"]
    for order in ("asc", "desc"):
        seen, cursor = [], ""
        while cursor is not None:
            asked = {"limit": 250, "order": order, "cursor": cursor}
            page = client.get(f"{SESSION}/timeline", query_string=asked).get_json()
            assert "items" in page, page
            seen += page["items"]
            cursor = page["next_cursor"]

        times = [each["time"] for each in seen]
        assert times == sorted(times, reverse=order == "desc")
        assert len({each["id"] for each in seen}) == len(seen) == total


def test_timeline_goes_on_after_any_event() -> None:
    """Keys have 64 bits, more than JSON's numbers hold."""
    last = (1 << 64) - 1
    moments = [(5, Event(key, 5000, 5, 10, 0)) for key in (1, last, last - 1)]

    page, cursor = page_of(moments, "", 2, descending=False)
    rest, end = page_of(moments, cursor or "", 2, descending=False)

    assert [event.key for _, event in [*page, *rest]] == [1, last - 1, last]
    assert end is None


def test_timeline_by_kind(client: FlaskClient) -> None:
    """Kinds are chosen by name; another is refused with those there are."""
    asked = {"kind": "error,action", "format": "rows"}
    rows = client.get(f"{SESSION}/timeline", query_string=asked).get_json()
    refused = client.get(f"{SESSION}/timeline", query_string={"kind": "click"})

    assert [row["kind"] for row in rows] == ["action", "error", "error"]
    assert refused.status_code == 400
    assert "action" in refused.get_json()["message"]


def test_timeline_as_logs(client: FlaskClient) -> None:
    """Grafana's logs panel gets time, body, level and id."""
    asked = {"format": "logs", "kind": "log,error,span", "order": "asc"}
    rows = client.get(f"{SESSION}/timeline", query_string=asked).get_json()

    assert [(row["kind"], row["severity"]) for row in rows] == [
        ("span", "error"), ("error", "error"), ("error", "error"), ("log", "error"),
    ]  # fmt: skip
    assert rows[-1]["body"] == "log: giving up page=/pay"
    assert {"timestamp", "body", "severity", "level", "id"} <= set(rows[0])


def test_tree_in_four_shapes(client: FlaskClient) -> None:
    """Nested, drawn, as rows and as Grafana's trace: the same nodes."""
    asked = {"limit": 8}
    nested = client.get(f"{SESSION}/tree", query_string=asked).get_json()
    rows, spans = (
        client.get(f"{SESSION}/tree", query_string={**asked, "format": each})
        for each in ("rows", "trace")
    )
    text = client.get(f"{SESSION}/tree", query_string={**asked, "format": "text"})

    assert [view["name"] for view in nested["children"]] == ["/", "/pay"]
    kinds = [each["kind"] for each in nested["children"][1]["children"]]
    assert kinds == ["request", "action", "error", "error", "log"]
    assert len(rows.get_json()) == len(spans.get_json()) == 9
    assert rows.headers["Skald-Notice"].startswith(f"{nested['cut']} more")
    spans_by_id = {span["spanID"]: span for span in spans.get_json()}
    for span in spans_by_id.values():
        assert span["parentSpanID"] in {"", *spans_by_id}
        assert span["traceID"] == "s1"
    assert text.mimetype == "text/plain"
    assert text.get_data(as_text=True).startswith("Session: s1 (")


@pytest.mark.usefixtures("client")
def test_lines_of_a_source_that_is_gone(tmp_path: Path) -> None:
    """A session outlives its source in the configuration; the refusal names it."""
    index = Index(tmp_path / "skald.db")
    settings = index.settings
    gone = create_app(type(settings)(index=settings.index, sources=())).test_client()

    response = gone.get(f"{SESSION}/logs")

    assert response.status_code == 404
    assert "'faro'" in response.get_json()["message"]


def test_loki_that_is_down_is_said(client: FlaskClient) -> None:
    """Loki's trouble is told as it is, with a status of its own."""
    response = client.get(f"{SESSION}/logs")

    assert response.status_code == 503
    assert "is it running" in response.get_json()["message"]


@pytest.mark.parametrize("app", ["", "@acme/shop", "a/b/c"])
@pytest.mark.parametrize("session_id", ["s1", "timelines", "s/1"])
def test_an_app_may_have_no_name_or_slashes_in_it(
    tmp_path: Path, app: str, session_id: str
) -> None:
    """Its sessions are opened by path like all others, whole and in every layout."""
    index = Index(tmp_path / "skald.db")
    index.ingest(page_load(session_id, "10:00:00", "/", app_name=app))
    index.close()
    client = create_app(index.settings).test_client()
    path = f"/api/v1/sessions/{quote(app, safe='')}/{quote(session_id, safe='')}"

    whole = client.get(path)
    assert whole.status_code == 200
    assert (whole.get_json()["app"], whole.get_json()["id"]) == (app, session_id)
    assert client.get(f"{path}/timeline").get_json()["total"] == 2
    spans = client.get(f"{path}/tree?format=trace").get_json()
    assert {span["traceID"] for span in spans} == {session_id}
    missing = client.get(f"{path}x")
    assert missing.status_code == 404
    assert "no session" in missing.get_json()["message"]
