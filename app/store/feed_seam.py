"""What any engine must do to hand recorded samples on: a feed, and who has read how far.

A receiver is who the samples are written to. It takes each series in the order of time;
what changes later is a correction, which it takes out of order, or not at all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.model import Labels

Sample = tuple[int, int]  # number of the series, slot (ms)


@dataclass(frozen=True, slots=True)
class Change:
    """A sample as it is now; None = the series ended there."""

    series: int
    name: str
    labels: Labels
    at: int  # ms
    value: float | None

    @property
    def key(self) -> Sample:
        """What makes the sample itself."""
        return self.series, self.at


@dataclass(frozen=True, slots=True)
class Position:
    """The last change that a receiver has been told of: all before it are dealt with."""

    changed: int = 0
    series: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Portion:
    """What a receiver is to be told of next.

    Attributes:
        changes: those after its position, in order.
        early: samples that come later in the feed, of the same series as changes and
            older than these, that the receiver has not seen: their turn is now, for
            later they would be out of order.
        owed: corrections that had to wait until their series went on.
        reached: series → newest slot that the receiver has; without those it knows not.
        end: where its position is after these.
    """

    changes: Sequence[Change]
    early: Sequence[Change]
    owed: Sequence[Change]
    reached: Mapping[int, int]
    end: Position


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of samples; counts are added to those held."""

    sent: int = 0
    refused: int = 0  # by the receiver, for good
    late: int = 0  # corrections that the receiver does not take
    barred: int = 0  # with a label that must not leave
    failures: int = 0  # attempts that came to nothing


@dataclass(frozen=True, slots=True)
class Told:
    """What a portion came to, to be committed as one."""

    end: Position
    reached: Mapping[int, int]
    owed: Collection[Sample]  # new corrections that have to wait
    settled: Collection[Sample]  # owed ones that are dealt with
    tally: Tally
    newest: int = 0  # slot (ms) of the newest sample taken; 0 = none


@dataclass(frozen=True, slots=True)
class ReceiverStatus:
    """How a receiver fares."""

    name: str
    tally: Tally
    pending: int  # samples waiting, counted up to a bound
    oldest: int  # slot of the first of them, ms; 0 = none waits
    newest: int  # slot of the newest sample it took, ms; 0 = none
    error: str  # of the last attempt; "" = it went well


@dataclass(frozen=True, slots=True)
class Standing:
    """A value that holds now."""

    name: str
    labels: Labels
    value: float
    at: int
    rule: str  # key of the rule that recorded it


class FeedReader(Protocol):
    """What there is to hand on, for those who read."""

    def standing(self, now: int, limit: int) -> list[Standing]:
        """Return the newest value of each series that has not ended; by name, labels."""

    def receivers(self) -> list[ReceiverStatus]:
        """Return how each receiver fares."""


class Feed(FeedReader, Protocol):
    """The same, for who writes to receivers."""

    def join(self, receiver: str, since: int) -> None:
        """Let a receiver begin with samples of *since* (ms); one that is known goes on."""

    def keep_only(self, receivers: Sequence[str]) -> None:
        """Forget all other receivers."""

    def portion(self, receiver: str, limit: int, horizon: int) -> Portion | None:
        """Return what *receiver* is to be told of next; None when there is nothing.

        Args:
            receiver: its name.
            limit: changes at a time.
            horizon: ms before a change that are looked at for early ones.
        """

    def commit(self, receiver: str, told: Told) -> None:
        """Move the position on, all of it or nothing."""

    def note(self, receiver: str, error: str) -> None:
        """Count a failed attempt."""

    def close(self) -> None:
        """Let go of the index."""
