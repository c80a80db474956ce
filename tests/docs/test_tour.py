"""What the documentation names exists, and what it shows works."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from app import create_app, store
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TOUR = ROOT / "docs/tour.md"
ROOMS = {path.stem for path in (ROOT / "app").iterdir()}

NAMES = sorted(set(re.findall(r"`(\w+(?:\.\w+)+)`", TOUR.read_text("utf-8"))))
CURLS = re.findall(r"^curl .*$", README.read_text("utf-8"), re.MULTILINE)
LINKS = [
    (page, link)
    for page in [README, *sorted((ROOT / "docs").rglob("*.md"))]
    for link in re.findall(r"\]\(([^):#]+)\)", page.read_text("utf-8"))
]


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.split(".")[0] in ROOMS]
)
def test_name_of_the_tour_exists(name: str) -> None:
    """The tour names functions by room and file; renaming one moves the tour along."""
    found: object = importlib.import_module("app")
    path = "app"
    for part in name.split("."):
        path = f"{path}.{part}"
        if not hasattr(found, part):
            found = importlib.import_module(path)
        else:
            found = getattr(found, part)


def test_tour_names_many() -> None:
    """The test above looks at something."""
    assert len(NAMES) > 20


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    """Give a client of a service with an empty index."""
    settings = Settings(index=tmp_path / "skald.db")
    store.open_writer(settings).close()
    with create_app(settings).test_client() as client:
        yield client


@pytest.mark.parametrize("line", CURLS)
def test_curl_of_the_readme_is_answered(client: FlaskClient, line: str) -> None:
    """What a newcomer pastes is understood."""
    address = urlsplit(shlex.split(line)[1])

    answer = client.get(f"{address.path}?{address.query}")

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_link_leads_somewhere(page: Path, link: str) -> None:
    """A link between pages has a page at its end."""
    assert (page.parent / link).exists()


def test_readme_is_short() -> None:
    """A README is read, not studied."""
    assert len(README.read_text("utf-8").splitlines()) <= 150
