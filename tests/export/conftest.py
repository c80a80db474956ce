"""A recorder on a file of its own, and a receiver that fails when told to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.export.faulty import Faulty
from tests.export.recorder import Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """Return an index to record into."""
    recorder = Recorder(tmp_path / "skald.db")
    yield recorder
    recorder.close()


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    """Return a receiver on the loopback that answers as it is told to."""
    with Faulty() as server:
        yield server
