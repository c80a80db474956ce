"""What any engine must do for rules: keep what they recorded, and how they fare."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.model import Labels
from app.sessionql.evaluate import Cell
from app.sessionql.plan import Recorded as Series
from app.sessionql.plan import Window

INACTIVE, PENDING, FIRING = "inactive", "pending", "firing"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One value of one recorded series; None = the series ended there."""

    name: str
    labels: Labels
    at: int  # ms, a slot of the group
    value: float | None
    changed: int = 0  # ascending in the order of commits


@dataclass(frozen=True, slots=True)
class AlertState:
    """One alert of one rule; times are ms, 0 = never."""

    labels: Labels
    annotations: Labels
    state: str  # pending | firing | inactive: resolved, and kept to be told
    value: float
    active_at: int
    fired_at: int = 0
    resolved_at: int = 0
    sent_at: int = 0
    keep_since: int = 0  # when its condition ended, while keep_firing_for holds it


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one evaluation of one rule came to."""

    rule: str  # key of the rule
    error: str  # "" = it went well
    took_ms: float
    samples: Sequence[tuple[str, Labels, float]] = ()
    alerts: Sequence[AlertState] | None = None  # None = leave those held


@dataclass(frozen=True, slots=True)
class Slot:
    """All rules of a group at one slot, to be committed as one.

    Attributes:
        group: key of the group.
        at: the slot, ms.
        step: interval of the group, ms.
        evaluated: when, ms.
        took_ms: all rules together.
        outcomes: in the order of the rules.
        missed: slots before this one that nobody will evaluate any more.
        is_correction: a slot that was evaluated before; counted apart.
        is_made_up: a slot that was missed at its time.
    """

    group: str
    at: int
    step: int
    evaluated: int
    took_ms: float
    outcomes: Sequence[RuleOutcome]
    missed: int = 0
    is_correction: bool = False
    is_made_up: bool = False


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """How a group fares."""

    slot: int  # the last that was evaluated, ms; 0 = none
    first: int  # the first, likewise
    evaluated: int  # when the last was, ms
    took_ms: float
    iterations: int
    missed: int
    made_up: int
    corrected: int
    samples: int


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """How a rule fares."""

    error: str
    evaluated: int
    took_ms: float
    samples: int
    evaluations: int
    failures: int


@dataclass(frozen=True, slots=True)
class Dirt:
    """A range of time in which events came to be known after a slot was evaluated."""

    since: int
    until: int  # included
    seen: int  # grows when the range is soiled again


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to remember between runs."""

    value: int = 0
    text: str = ""


class RuleReader(Protocol):
    """What was recorded and how rules fare, for those who read."""

    def recorded(
        self, plan: Series, window: Window, without: Collection[str] = ()
    ) -> list[tuple[Labels, int, float]]:
        """Return the last value of each series in each bucket ``(begin, begin + step]``.

        A series without a sample in a bucket keeps its last one until it ends, but no
        longer than its range says, or two of its own steps, or five minutes. Without a
        step there is one bucket, known by its begin, with what holds at its end.
        Series of the rules *without* are left out.
        """

    def recorded_cells(
        self, plan: Series, window: Window
    ) -> tuple[tuple[str, ...], list[Cell]]:
        """Return the same as SessionQL takes it.

        Raises:
            UnknownName: no rule records that.
        """

    def groups(self) -> dict[str, GroupStatus]:
        """Return how each group fares, by key."""

    def rules(self) -> dict[str, RuleStatus]:
        """Return how each rule fares, by key."""

    def alerts(self, rule: str | None = None) -> dict[str, list[AlertState]]:
        """Return the alerts of one rule or of all, by the rule's key."""

    def latest(self, now: int, limit: int) -> list[Recorded]:
        """Return the newest value of each series that has not ended."""

    def changes(self, after: int, limit: int) -> list[Recorded]:
        """Return samples changed after that number, stale markers too, in order."""

    def mark(self, name: str) -> Mark:
        """Return what is remembered under *name*."""


class Rulebook(RuleReader, Protocol):
    """The same, opened for writing."""

    def begin(self, group: str, at: int) -> None:
        """Say that slot *at* is about to be evaluated.

        From then on, whoever adds an event of before *at* leaves a note of it.
        """

    def commit(self, slot: Slot, lease: tuple[str, str] | None = None) -> None:
        """Keep what a slot came to, all of it or nothing; twice is once.

        Series that a rule recorded at its slot before and not at this one end here.
        """

    def end_series(self, rules: Sequence[str]) -> int:
        """End the series of all other rules, and forget these; return how many."""

    def set_sent(self, rule: str, sent: Sequence[Labels], at: int) -> None:
        """Note that the Alertmanager was told."""

    def dirt(self) -> list[Dirt]:
        """Return what was soiled, ascending."""

    def clean(self, ranges: Sequence[Dirt]) -> None:
        """Forget what was soiled, unless it was soiled again."""

    def remember(self, name: str, mark: Mark) -> None:
        """Remember that."""

    def thin(self, before: int, step: int) -> int:
        """Keep of samples before that only the last of each step; return the deleted."""

    def expire(self, before: int) -> int:
        """Delete samples before that, some at a time; return how many."""

    def close(self) -> None:
        """Let go of the index."""
