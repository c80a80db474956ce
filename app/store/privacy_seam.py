"""What any engine must do for a person who asks for their data, or that it be erased."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from app.model import Context
from app.sessions.timeline import Moment
from app.store.insight_seam import Whole

EXPORT, ERASURE = "export", "erasure"
QUEUED, RUNNING, DONE, FAILED = STATES = ("queued", "running", "done", "failed")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, and how far it is.

    Attributes:
        kind: ``EXPORT`` or ``ERASURE``.
        is_dry: nothing is erased, it is only told what would be.
        state: one of ``STATES``.
        progress: 0 to 1.
        sessions: found by now.
        events: of these.
        created: ms; an erasure is of what was received before.
        finished: ms; 0 = not yet.
        error: why it failed; it is tried again all the same.
    """

    id: str
    kind: str
    is_dry: bool
    state: str
    progress: float
    sessions: int
    events: int
    created: int
    finished: int
    error: str


@dataclass(frozen=True, slots=True)
class Exported:
    """One session of an export.

    Attributes:
        whole: it, without what others did in it who were identified.
        events: (time, event), all versions of each, in order.
        contexts: of these.
        is_orphan: a trace of no known session; then ``whole`` is derived from it alone.
        others: events that were left out.
    """

    whole: Whole
    events: list[Moment]
    contexts: Mapping[int, Context]
    is_orphan: bool
    others: int


class PrivacyBook(Protocol):
    """The requests of one tenant; opened for writing."""

    def add(self, kind: str, user: str, now: int, *, is_dry: bool = False) -> Request:
        """Take up a request about *user*: an id, e-mail, name or anonymous id."""

    def get(self, kind: str, request: str) -> Request | None:
        """Return a request; None when there is none of that kind."""

    def claim(self, owner: str, now: int, request: str = "") -> str:
        """Take up that request, or the oldest that nobody works on; "" = none."""

    def identities(self, request: str) -> list[str]:
        """Return by what the person of a request is known; empty when it is erased."""

    def advance(self, request: str, owner: str, now: int, bounce: str) -> bool:
        """Do a bounded part of a request; return whether there is more to do.

        Raises:
            LeaseLost: another owner works on it.
        """

    def fail(self, request: str, error: str, now: int) -> None:
        """Note why a request cannot go on now."""

    def read(self, request: str) -> Iterator[Exported]:
        """Yield what an export found, a session at a time, oldest first."""

    def discard(self, request: str) -> None:
        """Forget a request."""

    def expire(self, before: int) -> int:
        """Forget requests that ended before that; return how many."""

    def close(self) -> None:
        """Let go of the index."""
