"""The service around the questions: who may ask, what is measured, how it refuses."""

import gzip
import re
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from zstandard import ZstdDecompressor

from app import create_app
from app.api.errors import phrase_of
from app.settings import Settings
from tests.api.shop import END


def test_health_and_readiness(client: FlaskClient) -> None:
    """Alive, ready, and how far each source has been indexed."""
    assert client.get("/healthz").get_json()["status"] == "ok"
    ready = client.get("/readyz/").get_json()
    assert ready["status"] == "ready"
    assert ready["sources"][0]["indexed_until"] == END


def test_missing_index_is_not_ready(tmp_path: Path) -> None:
    """Without an index the service lives, says so, and can still be measured."""
    client = create_app(Settings(index=tmp_path / "none.db")).test_client()

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert "no index" in client.get("/api/v1/query").get_json()["message"]
    assert b"skald_index_readable 0.0" in client.get("/metrics").get_data()


def test_measures_are_prometheus(client: FlaskClient) -> None:
    """Figures of sources, of the index, and durations by route, never by session."""
    client.get("/api/v1/sessions/shop/s2")
    text = client.get("/metrics").get_data(as_text=True)
    names = {each.name for each in text_string_to_metric_families(text)}

    assert {
        "skald_build_info",
        "skald_index_file_bytes",
        "skald_index_sessions",
        "skald_job_missed",
        "skald_source_entries",
        "skald_source_lag_seconds",
        "skald_http_request_duration_seconds",
        "process_resident_memory_bytes",
    } <= names
    assert 'route="/api/v1/sessions/<app>/<path:session_id>"' in text
    assert "shop/s2" not in text
    assert 'skald_source_dropped_total{reason="malformed",source="faro"} 1.0' in text


def test_base_path_says_where_things_are(client: FlaskClient) -> None:
    """A data source with a base URL and nothing else finds its way."""
    assert client.get("/").get_json()["catalogue"] == "/api/v1"


@pytest.mark.parametrize("path", ["/json", "/json/", "//json", "/api//v1", "/readyz/"])
def test_no_redirects(client: FlaskClient, path: str) -> None:
    """Old plugins ask with a slash, new ones without, base URLs end in one or not."""
    assert client.get(path).status_code == 200


def test_refusals_of_http_are_alike(client: FlaskClient) -> None:
    """404, 405, 413 and unreadable bodies have the shape of every other refusal."""
    answers = [
        client.get("/nowhere"),
        client.delete("/api/v1/query"),
        client.post("/api/v1/query", data=b"x" * 1_100_000),
        client.post("/json/query", data=b'{"targets": ['),
        client.post("/json/query", data=b"[]"),
        client.post("/json/query", json={"targets": 5, "range": "x"}),
    ]

    assert [each.status_code for each in answers] == [404, 405, 413, 400, 400, 422]
    for each in answers:
        assert set(each.get_json()) == {"message", "error"}
    assert set(answers[1].headers["Allow"].split(", ")) >= {"GET", "POST"}
    for place in ("targets", "range"):
        assert place in answers[5].get_json()["message"]


def test_nothing_inner_gets_out(service_settings: Settings) -> None:
    """A fault of ours is a 500 that says nothing of its cause."""

    def fail(_settings: Settings) -> NoReturn:
        raise RuntimeError("secret")

    response = create_app(service_settings, fail).test_client().get("/api/v1/query")

    assert response.status_code == 500
    assert response.get_json()["error"] == "internal"
    assert b"secret" not in response.get_data()


def test_status_line_is_one_bounded_line() -> None:
    """Nothing of a message can break out of the status line."""
    phrase = phrase_of("no app 'é\r\nSet-Cookie: x' " + "y" * 500)

    assert "\r" not in phrase
    assert "\n" not in phrase
    assert phrase.isascii()
    assert len(phrase) <= 160


@pytest.fixture(params=["setting", "file"])
def guarded(
    request: pytest.FixtureRequest, service_settings: Settings, tmp_path: Path
) -> FlaskClient:
    """Return a client of a service that asks for a token."""
    file = tmp_path / "token"
    file.write_text("open sesame\n")
    settings = (
        replace(service_settings, api_token="open sesame")
        if request.param == "setting"
        else replace(service_settings, api_token_file=file)
    )
    return create_app(settings).test_client()


def test_token_guards_everything_but_probes(guarded: FlaskClient) -> None:
    """Without the token there are only probes."""
    right = {"Authorization": "Bearer open sesame"}
    wrong = {"Authorization": "Bearer shut"}

    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200
    assert guarded.get("/api/v1/query", headers=right).status_code == 200
    for path in (
        "/",
        "/json",
        "/metrics",
        "/openapi.json",
        "/api/v1/query",
        "/nowhere",
    ):
        assert guarded.get(path).status_code == 401
    refused = guarded.get("/api/v1/query", headers=wrong)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_browsers_may_ask_when_they_are_named(service_settings: Settings) -> None:
    """CORS is off, and on for the origins of the setting."""
    settings = replace(service_settings, cors_origins=("https://grafana.example",))
    client = create_app(settings).test_client()

    allowed = client.options("/json", headers={"Origin": "https://grafana.example"})
    others = client.options("/json", headers={"Origin": "https://evil.example"})

    allow = "Access-Control-Allow-Origin"
    assert allowed.headers[allow] == "https://grafana.example"
    assert allow not in others.headers


def test_answer_says_where_it_comes_from(client: FlaskClient) -> None:
    """In a header that browsers show: asked again, it is remembered."""
    # nobody else has asked this
    asked = {"metric": "duration_p50", "by": "language,exit", "to": str(END)}
    answers = [client.get("/api/v1/query", query_string=asked) for _ in range(2)]
    timings = [each.headers["Server-Timing"] for each in answers]

    assert re.fullmatch(r"(rollups|columns|scan);dur=[0-9.]+", timings[0])
    assert re.fullmatch(r"cache;dur=[0-9.]+", timings[1])
    assert answers[0].get_data() == answers[1].get_data()
    assert "Server-Timing" not in client.get("/healthz").headers


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("br", None),
        ("", None),
    ],
)
def test_client_chooses_how_answers_are_compressed(
    client: FlaskClient, accepted: str, coding: str | None
) -> None:
    """By its order; what it did not ask for it never gets."""
    packed = client.get("/api/v1", headers={"Accept-Encoding": accepted})
    plain = client.get("/api/v1", headers={"Accept-Encoding": "identity"}).get_data()

    assert packed.headers.get("Content-Encoding") == coding
    if coding == "zstd":
        assert ZstdDecompressor().decompress(packed.get_data()) == plain
    elif coding is None:
        assert packed.get_data() == plain


def test_large_answers_are_compressed(client: FlaskClient) -> None:
    """Where the client can read it, and only there."""
    packed = client.get("/api/v1", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/v1", headers={"Accept-Encoding": "gzip;q=0"})

    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert "Content-Encoding" not in plain.headers
