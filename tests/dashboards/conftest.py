"""The service over an index in which every board has something to show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.dashboards.world import END, fill


@pytest.fixture(scope="session")
def full_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index that nobody changes."""
    path = tmp_path_factory.mktemp("boards") / "skald.db"
    fill(path)
    return path


@pytest.fixture(scope="session")
def client(full_index: Path) -> FlaskClient:
    """Return a client of the service."""
    return create_app(Settings(index=full_index)).test_client()


@pytest.fixture(scope="session")
def empty_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """Return a client of a service that has read nothing."""
    from app.store import open_writer  # noqa: PLC0415

    settings = Settings(index=tmp_path_factory.mktemp("empty") / "skald.db")
    writer = open_writer(settings)
    yield create_app(settings).test_client()
    writer.close()


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test happen when the last line has been read."""
    monkeypatch.setattr("app.clock.now", lambda: END)


Json = dict[str, Any]
