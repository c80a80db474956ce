"""What the pages show as requests is answered, and has something in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.api.shop import END, fill
from tests.build import MS
from tests.corpus.worlds import entries, index_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
# section of the page of what is covered → corpus that its requests are about
CORPORA = {
    "Sessions of language model applications": "langfuse",
    "Component tracking": "clm",
}
LINES = [
    (page.name, "", line)
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(
        r"^```http\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    for line in block.splitlines()
    if line.strip()
]
QUOTED = [
    (page.name, part.partition("\n")[0], line)
    for page in sorted(DOCS.glob("*.md"))
    for part in page.read_text("utf-8").split("\n## ")
    for line in re.findall(r"`(GET /[^`]*)`", part)
]


@pytest.fixture(scope="module")
def clients(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[FlaskClient, int]]]:
    """Return clients of a service over a small shop, and over each corpus, with its end."""
    folder = tmp_path_factory.mktemp("examples")
    fill(folder / "skald.db")
    shop = create_app(Settings(index=folder / "skald.db")).test_client()
    found = {"": (shop, END)}
    indexes = []
    for name in CORPORA.values():
        index = index_of(name, folder)
        last = max(each.ts for each in entries(name) if each.line) // MS
        found[name] = create_app(index.settings).test_client(), last + 1_000
        indexes.append(index)
    yield found
    for index in indexes:
        index.close()


@pytest.mark.parametrize(("page", "section", "line"), [*LINES, *QUOTED])
def test_example_is_answered(
    clients: dict[str, tuple[FlaskClient, int]],
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    section: str,
    line: str,
) -> None:
    """Every request that a page shows works as it stands."""
    name = CORPORA.get(section, "") if page == "coverage.md" else ""
    client, now = clients[name]
    monkeypatch.setattr("app.clock.now", lambda: now)
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
    assert {section for _, section, _ in QUOTED} >= set(CORPORA)


def test_session_view_is_that_of_the_guide(
    clients: dict[str, tuple[FlaskClient, int]],
) -> None:
    """The example of the guide, with its durations and costs, as text."""
    path = "/api/v1/sessions/skillforge-api/analysis_abc123/tree?format=text"
    found = clients["langfuse"][0].get(path).get_data(as_text=True)

    assert found.splitlines()[0].endswith("analysis_abc123 (15.2s, $0.23)")
    assert "content_analysis (12.5s, $0.18)" in found
    assert "implementation_plan (6.5s, $0.08)" in found
