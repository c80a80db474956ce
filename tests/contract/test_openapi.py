"""The service keeps what its OpenAPI document says, whatever it is asked."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from app import create_app
from app.settings import Settings
from app.store import open_reader
from app.store.seam import Reader
from tests.api.shop import fill

# A schema cannot say "from is before to" or "an expression of that dialect": such
# requests fit the document and are refused nevertheless, with 400 and a remedy.
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "400", "401", "404"]
            },
        },
        "phases": {"coverage": {"enabled": False}},
    }
)


DIRECTORY = TemporaryDirectory(prefix="skald-openapi-")


@cache
def index() -> Path:
    """Write the index when it is first asked."""
    path = Path(DIRECTORY.name) / "skald.db"
    fill(path)
    return path


def open_index(asked: Settings) -> Reader:
    """Open it for one request."""
    return open_reader(replace(asked, index=index()))


schema = schemathesis.openapi.from_wsgi(
    "/openapi.json",
    create_app(
        Settings(index=Path(DIRECTORY.name) / "skald.db", privacy_token="officer"),
        open_index,
    ),
    config=CONFIG,
)


@pytest.fixture(scope="module", autouse=True)
def _filled() -> None:
    """Write it now: requests about one person's data open it by themselves."""
    index()


@schema.parametrize()
@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_service_keeps_its_document(case: Case) -> None:
    """No request that can be thought of breaks it, and every answer is as documented."""
    case.call_and_validate(
        headers={"Accept-Encoding": "identity", "Authorization": "Bearer officer"}
    )
