"""The web service over a small index."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.api.shop import END, START, fill

Get = Callable[..., Any]


@pytest.fixture(scope="session")
def index_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index that nobody changes."""
    path = tmp_path_factory.mktemp("index") / "skald.db"
    fill(path)
    return path


@pytest.fixture(scope="session")
def service_settings(index_file: Path) -> Settings:
    """Return settings that point at it."""
    return Settings(index=index_file)


@pytest.fixture(scope="session")
def client(service_settings: Settings) -> FlaskClient:
    """Return a client of the service."""
    return create_app(service_settings).test_client()


@pytest.fixture(scope="session")
def get(client: FlaskClient) -> Get:
    """Ask about the six hours of the index, and expect an answer."""

    def ask(path: str, **parameters: Any) -> Any:
        given = {"from": START, "to": END, **parameters}
        response = client.get(f"/api/v1/{path}", query_string=given)
        assert response.status_code == 200, response.get_data()
        return response.get_json()

    return ask


@pytest.fixture(scope="session")
def refuse(client: FlaskClient) -> Get:
    """Ask what must be refused; return the message."""

    def ask(path: str, status: int = 400, **parameters: Any) -> str:
        given = {"from": START, "to": END, **parameters}
        response = client.get(f"/api/v1/{path}", query_string=given)
        assert response.status_code == status, response.get_data()
        assert set(response.get_json()) == {"message", "error"}
        message: str = response.get_json()["message"]
        return message

    return ask


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test happen right after the last session."""
    monkeypatch.setattr("app.clock.now", lambda: END)
