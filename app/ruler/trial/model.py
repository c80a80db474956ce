"""The nouns of a test of rules."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.events.decoder import Address
from app.model import Context, Event, Labels


@dataclass(frozen=True, slots=True)
class Input:
    """One event, and when it becomes known: no rule sees it before."""

    known: int  # ms
    source: str  # one for each format: its sessions are derived in one manner
    address: Address
    event: Event
    context: Context
    way: str = "events"  # field of the batch that it belongs to
    shape: str = ""  # in which manner its session is derived


@dataclass(frozen=True, slots=True)
class ExpectedSamples:
    """What an expression should come to."""

    place: str
    expr: str
    at: int  # ms since the begin of the test
    samples: Mapping[str, float]  # series as Prometheus writes it → value


@dataclass(frozen=True, slots=True)
class ExpectedAlerts:
    """Which alerts of a name should fire, with what annotations."""

    place: str
    name: str
    at: int  # ms since the begin of the test
    alerts: tuple[tuple[Labels, Labels], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: a world, and what is expected of it."""

    name: str
    place: str
    start: int  # ms
    inputs: tuple[Input, ...]
    samples: tuple[ExpectedSamples, ...]
    alerts: tuple[ExpectedAlerts, ...]


@dataclass(frozen=True, slots=True)
class TrialFile:
    """A file of tests."""

    name: str
    rule_files: tuple[str, ...]
    interval: int  # ms, of groups that do not say
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a test went."""

    trial: Trial
    failures: tuple[str, ...] = ()
