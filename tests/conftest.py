"""What tests of every room may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from app import compiled
from tests.driver import Index

if compiled.is_stale():
    pytest.exit(compiled.STALE, returncode=2)

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Return a deployment whose index is a real file: feed it, run it, ask it."""
    index = Index(tmp_path / "skald.db")
    yield index
    index.close()
