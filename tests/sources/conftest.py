"""Give the tests a stand-in Loki."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.demo.standin import Limits, StandIn

PLAIN = Limits(discover_service_name=False, discover_log_levels=False, hold_s=0.06)


@pytest.fixture(scope="module")
def shared_loki() -> Iterator[StandIn]:
    """Return a stand-in for a whole module: its tests take a tenant each."""
    with StandIn(limits=replace(PLAIN, shuffle_ties_seed=7)) as loki:
        yield loki


@pytest.fixture
def loki() -> Iterator[StandIn]:
    """Return a fresh stand-in that adds nothing to what it is given."""
    with StandIn(limits=PLAIN) as loki:
        yield loki
