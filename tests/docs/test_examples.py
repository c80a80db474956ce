"""What the pages show as requests is answered, and has something in it."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.api.shop import END, fill

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINES = [
    (page.name, line)
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(
        r"^```http\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    for line in block.splitlines()
    if line.strip()
]
QUOTED = [
    (page.name, line)
    for page in sorted(DOCS.glob("*.md"))
    for line in re.findall(r"`(GET /[^`]*)`", page.read_text("utf-8"))
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Return a client of a service over a small shop."""
    path = tmp_path_factory.mktemp("examples") / "skald.db"
    fill(path)
    return create_app(Settings(index=path)).test_client()


@pytest.mark.parametrize(("page", "line"), [*LINES, *QUOTED])
def test_example_is_answered(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, page: str, line: str
) -> None:
    """Every request that a page shows works as it stands."""
    monkeypatch.setattr("app.clock.now", lambda: END)
    method, address = line.split(" ", 1)

    response = client.open(address.replace("\\|", "|").strip(), method=method)

    assert response.status_code == 200, (page, response.get_data(as_text=True))
    assert says_something(response.get_json(silent=True) or response.get_data())


def says_something(found: Any) -> bool:
    """Tell an answer from an empty one."""
    if isinstance(found, dict):
        return bool(found.get("items", True))
    return bool(found)


def test_pages_show_many() -> None:
    """The test above looks at something."""
    assert len(LINES) > 20
