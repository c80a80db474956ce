"""What any engine must do for those who write; ``seam`` says the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.events.decoder import Batch


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source has been read; committed with the rows.

    Attributes:
        cursor: ns; every entry before it is in the index (0 = nothing yet).
        counts: seconds → entries read with a timestamp in ``(s - 1, s]``; of the
            seconds that this batch settles, replacing what was held.
        notes: what the source wants to remember, JSON.
        settled: epoch seconds.
        since: ns; with it, counts replace held ones only while the cursor stands there.
            Otherwise somebody else has read on, or this was read before, and a second
            of which only a part was read now would be counted wrong.
    """

    cursor: int
    counts: Mapping[int, int] | None = None
    notes: Mapping[str, Any] | None = None
    settled: int = 0  # counts up to this second are not needed any more
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one batch did to the index."""

    events: int  # new ones
    repeated: int  # that the index had
    sessions: int  # touched
    created: int  # of those, new
    cut: int  # events over the bound of their session
    dropped: Mapping[str, int]  # lines that are not used, by reason


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How one job fares; in the index, so that every process can tell."""

    name: str
    runs: int
    failures: int
    missed: int  # times it was due and did not start
    started: int  # ms; 0 = never
    took_ms: int  # the last run
    error: str  # of the last run; "" = it went well


class Writer(Protocol):
    """The index, opened for writing: one at a time, whatever happens."""

    def declare(
        self,
        source: str,
        inactivity_ms: int,
        max_events: int,
        longest_ms: int = 4 * 3_600_000,
        max_new_sessions: int = 20_000,
    ) -> None:
        """Say when the sessions of *source* are over, and how much is kept.

        Args:
            source: its name.
            inactivity_ms: a session is over after that long without an event.
            max_events: kept of one session.
            longest_ms: at that age it is over as well.
            max_new_sessions: that may begin in one minute of receipt.
        """

    def ingest(
        self,
        source: str,
        batch: Batch,
        progress: Progress,
        lease: tuple[str, str] | None = None,
    ) -> Ingested:
        """Add *batch* and *progress* in one transaction; twice is once.

        With a *lease* (name, owner), only while that holds.
        """

    def cursor(self, source: str) -> int:
        """Return how far *source* has been read, ns; 0 = nothing."""

    def notes(self, source: str) -> dict[str, Any]:
        """Return what the source wanted to remember."""

    def counts(self, source: str, since: int, until: int) -> dict[int, int]:
        """Return the entries held per second in ``(since, until]`` (epoch seconds)."""

    def acquire(self, name: str, owner: str, now: int, duration: int) -> bool:
        """Take or keep the lease *name* until ``now + duration``; False if it is taken."""

    def release(self, name: str, owner: str) -> None:
        """Give the lease back."""

    def record(self, job: JobStatus) -> None:
        """Add a run of a job: counts are added, the rest replaces what was held."""

    def roll_up(self, now: int, bounce: str) -> bool:
        """Recompute one hour or day of figures that changed; False when there is none."""

    def expire(self, before: int) -> int:
        """Delete sessions that ended before that, some at a time; return how many."""

    def expire_strands(self, before: int) -> int:
        """Delete traces of no known session last seen before that; return how many."""

    def tidy(self) -> bool:
        """Give space back, some at a time; return whether there is more to do."""

    def close(self) -> None:
        """Let go of the index."""
