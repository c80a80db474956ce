"""Give every test of the contract each engine."""

from collections.abc import Iterator

import pytest

from tests.store.engines import ENGINES, Engine


@pytest.fixture(scope="module", params=ENGINES)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Return an engine for a module whose tests only read."""
    engine = ENGINES[request.param](tmp_path_factory.mktemp("shared"))
    yield engine
    for opened in engine.opened:
        opened.close()


@pytest.fixture(params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Return an engine with an empty index."""
    engine = ENGINES[request.param](tmp_path_factory.mktemp("engine"))
    yield engine
    for opened in engine.opened:
        opened.close()
