"""The nouns of rules: a rule, a group of them, all that are in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from app.model import Labels
from app.sessionql.language import Query

RECORD, ALERT = "record", "alert"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, read and checked.

    Attributes:
        kind: record or alert.
        name: of the series it records, or of the alert.
        expr: SessionQL, as it was written.
        query: what it means.
        labels: added to every result; those of the group are among them.
        hold_ms: ``for``: how long an alert is pending.
        keep_ms: ``keep_firing_for``.
        key: what makes it itself: file, group, name, labels.
        place: file:line:column.
    """

    kind: str
    name: str
    expr: str
    query: Query
    labels: Labels
    key: str
    place: str
    hold_ms: int = 0
    keep_ms: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after another, at the same time.

    Attributes:
        file: as it is shown, and known over restarts.
        interval: ms between two slots.
        limit: series that a rule may come to; 0 = any number.
        offset: ms that a slot waits for its events.
    """

    file: str
    name: str
    interval: int
    limit: int
    offset: int
    rules: tuple[Rule, ...]

    @cached_property
    def key(self) -> str:
        """What makes it itself, as Prometheus writes it."""
        return f"{self.file};{self.name}"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All groups in force."""

    groups: tuple[Group, ...] = ()

    def rules(self) -> list[Rule]:
        """List all rules."""
        return [rule for group in self.groups for rule in group.rules]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a group does not say."""

    interval: int = 60_000
    offset: int = 60_000


@dataclass(frozen=True, slots=True)
class Value:
    """One result of an expression."""

    labels: Labels
    value: float
