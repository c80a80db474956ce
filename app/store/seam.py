"""What any engine must do; everything else asks it through these two."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.model import Context, Event, Session
from app.sessionql.evaluate import Cell
from app.sessionql.plan import EVERYTHING, Filter, Leaf, Window
from app.store.answers import Answered
from app.store.feed_seam import FeedReader
from app.store.insight_seam import Insights
from app.store.rule_seam import RuleReader
from app.store.writing_seam import Ingested, JobStatus, Progress, Writer

__all__ = [
    "Found", "Ingested", "JobStatus", "Progress", "Reader", "Search", "SourceStatus",
    "Writer",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """A question for sessions.

    Attributes:
        columns: of the rows, beside id, app and start; also attributes. Empty: all
            fields of sessions.
        is_counted: how many match in all is wanted; it costs a look at each of them.
    """

    window: Window
    selector: Filter = EVERYTHING
    sort: str = "start"
    descending: bool = True
    limit: int = 50
    cursor: str = ""
    columns: tuple[str, ...] = ()
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """Sessions, one page of them; rows by the catalog's names."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int  # 0 when nobody asked


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source fares."""

    name: str
    cursor: int  # ns
    entries: int
    bytes: int
    decoded: int
    dropped: Mapping[str, int]
    updated: int  # ms; 0 = never


class Reader(RuleReader, Insights, FeedReader, Protocol):
    """The index of one tenant, opened for reading."""

    def evaluate(self, leaf: Leaf, window: Window) -> list[Cell]:
        """Answer one leaf of a plan."""

    def foresee(self, leaves: Iterable[Leaf], window: Window) -> frozenset[Leaf]:
        """Look for leaves together that are about to be asked for one by one.

        Returns:
            Those of which the answer is at hand now.
        """

    def tell_sampled(self, leaf: Leaf, window: Window) -> list[str]:
        """Return what to know of answers that are weighted as that of *leaf* is."""

    def take_notices(self) -> list[str]:
        """Return what to know of the answers given since the last call."""

    def take_answered(self) -> list[Answered]:
        """Return how each leaf was answered since the last call."""

    def search(self, search: Search) -> Found:
        """Find sessions."""

    def session(self, app: str, session_id: str) -> Session | None:
        """Return one session, whole."""

    def events(
        self, app: str, session_id: str
    ) -> tuple[Sequence[Event], Mapping[int, Context]]:
        """Return the events of a session by corrected time, and their contexts."""

    def values(
        self, field: str, window: Window, selector: Filter, limit: int
    ) -> list[tuple[str, int]]:
        """Return values of a field with the number of sessions, most first."""

    def sources(self) -> list[SourceStatus]:
        """Return how each source fares."""

    def jobs(self) -> list[JobStatus]:
        """Return how each job fares."""

    def size(self) -> dict[str, int]:
        """Return sessions, events, bytes of the index."""

    def close(self) -> None:
        """Let go of the index."""
