"""Exports and erasures over HTTP: jobs with a state, for those who have the token."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from app import create_app
from app.jobs.privacy import serve_requests
from app.settings import Settings
from app.store import open_privacy_book
from app.store.seam import Progress
from app.store.writer import SqliteWriter
from tests.api.shop import END, fill
from tests.build import page_load
from tests.driver import decode

TOKEN = {"Authorization": "Bearer officer"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of a small shop, and of a privacy officer."""
    fill(tmp_path / "skald.db")
    return Settings(
        index=tmp_path / "skald.db", api_token="grafana", privacy_token="officer"
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    """Return a client of the service."""
    with create_app(settings).test_client() as client:
        yield client


def work(settings: Settings) -> int:
    """Do what waits, as the jobs do."""
    book = open_privacy_book(settings)
    done = serve_requests(book, "jobs", settings.bounce, lambda: True)
    book.close()
    return done


def ask(client: FlaskClient, what: str, **asked: Any) -> Any:
    """Ask, and return the answer."""
    response = client.post(f"/api/v1/{what}", json=asked, headers=TOKEN)
    assert response.status_code == 202, response.get_data()
    found = response.get_json()
    assert response.headers["Location"] == f"/api/v1/{what}/{found['id']}"
    return found


def state(client: FlaskClient, what: str, request: str) -> Any:
    """Return how far a request is."""
    response = client.get(f"/api/v1/{what}/{request}", headers=TOKEN)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return response.get_json()


def test_export_is_downloaded_when_it_is_done(
    client: FlaskClient, settings: Settings
) -> None:
    """Queued, then done; one session a line, with all of its events."""
    asked = ask(client, "exports", user="u1")
    path = f"/api/v1/exports/{asked['id']}/download"
    assert (asked["state"], asked["download"]) == ("queued", None)
    assert client.get(path, headers=TOKEN).status_code == 409

    assert work(settings) == 1

    done = state(client, "exports", asked["id"])
    response = client.get(done["download"], headers=TOKEN)
    assert response.is_streamed
    lines = [orjson.loads(line) for line in response.get_data().splitlines()]
    listed = client.get(
        f"/api/v1/sessions?user=u1&from=0&to={END}",
        headers={"Authorization": "Bearer grafana"},
    ).get_json()
    assert (done["state"], done["progress"]) == ("done", 1)
    assert response.mimetype == "application/x-ndjson"
    assert {line["id"] for line in lines} == {each["id"] for each in listed["items"]}
    assert len(lines) == done["sessions"] > 0
    assert sum(len(line["events"]) for line in lines) == done["events"]
    for line in lines:
        assert line["user"]["id"] == "u1"
        assert {each["context"] for each in line["events"]} == line["contexts"].keys()


def test_erasure_takes_away_what_a_dry_run_counts(
    client: FlaskClient, settings: Settings
) -> None:
    """The dry run leaves everything; the erasure takes as much, and the user is unknown."""
    grafana = {"Authorization": "Bearer grafana"}
    trial = ask(client, "erasures", user="u1", dry_run=True)
    export = ask(client, "exports", user="u1")
    work(settings)
    counted = state(client, "erasures", trial["id"])
    assert client.get("/api/v1/users/u1", headers=grafana).status_code == 200

    asked = ask(client, "erasures", user="u1")
    work(settings)

    done = state(client, "erasures", asked["id"])
    assert (counted["dry_run"], done["dry_run"]) == (True, False)
    assert (done["sessions"], done["events"]) == (
        counted["sessions"],
        counted["events"],
    )
    assert client.get("/api/v1/users/u1", headers=grafana).status_code == 404
    gone = client.get(f"/api/v1/exports/{export['id']}", headers=TOKEN)
    assert gone.status_code == 404, "exports of whom is erased go as well"
    assert b"u1" not in orjson.dumps(done).replace(done["id"].encode(), b"")


def test_officer_has_a_token_of_their_own(client: FlaskClient) -> None:
    """That of Grafana does not do, and the officer's opens nothing else."""
    for token, status in ((None, 401), ("grafana", 401), ("officer", 202)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = client.post("/api/v1/exports", json={"user": "u"}, headers=headers)
        assert response.status_code == status
    for path in (
        "/api/v1/exports/x",
        "/api/v1/exports/x/download",
        "/api/v1/erasures/x",
    ):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=TOKEN).status_code == 404
    assert client.get("/api/v1/query", headers=TOKEN).status_code == 401


def test_without_a_token_it_is_refused(settings: Settings) -> None:
    """A service that is open to all exports and erases nobody."""
    client = create_app(Settings(index=settings.index)).test_client()

    for path in ("exports", "erasures"):
        refused = client.post(f"/api/v1/{path}", json={"user": "u1"})
        assert refused.status_code == 403
        assert "privacy_token" in refused.get_json()["message"]
    assert client.get("/api/v1/exports/x").status_code == 403


def test_missing_index_is_not_made(tmp_path: Path) -> None:
    """Who asks before anything was indexed is told so."""
    settings = Settings(index=tmp_path / "none.db", privacy_token="officer")
    client = create_app(settings).test_client()

    refused = client.post("/api/v1/exports", json={"user": "u1"}, headers=TOKEN)

    assert refused.status_code == 503
    assert not settings.index.exists()


def test_requests_are_of_one_tenant(client: FlaskClient, settings: Settings) -> None:
    """Neither sessions nor requests of another tenant are seen, taken up or erased."""
    writer = SqliteWriter(settings.index, "other")
    writer.ingest(
        "faro", decode(page_load("theirs", "10:00", user_id="u1")), Progress(0)
    )
    others = Settings(index=settings.index, tenant="other", privacy_token="officer")
    theirs = create_app(others).test_client()
    foreign = ask(theirs, "exports", user="u1")
    asked = ask(client, "erasures", user="u1")

    assert work(settings) == 1

    path = f"/api/v1/exports/{foreign['id']}"
    assert client.get(path, headers=TOKEN).status_code == 404
    assert state(theirs, "exports", foreign["id"])["state"] == "queued"
    assert work(others) == 1
    lines = theirs.get(f"{path}/download", headers=TOKEN).get_data().splitlines()
    assert [orjson.loads(line)["id"] for line in lines] == ["theirs"]
    assert state(client, "erasures", asked["id"])["state"] == "done"
    again = writer.ingest(
        "faro", decode(page_load("more", "10:00", user_id="u1")), Progress(0)
    )
    assert again.events > 0, "a mark is of one tenant"
    writer.close()


@pytest.mark.parametrize(
    "asked",
    [{}, {"user": ""}, {"user": " "}, {"user": 5}, {"user": None}, {"user": "x" * 2_000},
     {"user": "u", "dry_run": "no"}, {"user": "\0"}],
)  # fmt: skip
def test_nobody_is_asked_for(client: FlaskClient, asked: Any) -> None:
    """What names nobody is refused."""
    response = client.post("/api/v1/erasures", json=asked, headers=TOKEN)

    assert response.status_code == 422, response.get_data()
    assert set(response.get_json()) == {"message", "error"}


def test_requests_are_forgotten_in_time(
    client: FlaskClient, settings: Settings
) -> None:
    """An export cannot be downloaded for ever."""
    asked = ask(client, "exports", user="u1")
    work(settings)
    book = open_privacy_book(settings)

    assert book.expire(END - 1) == 0
    assert book.expire(END + 1) == 1

    book.close()
    response = client.get(f"/api/v1/exports/{asked['id']}/download", headers=TOKEN)
    assert response.status_code == 404
