"""What any engine must answer beyond figures and lists of sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.model import Context, Session
from app.sessionql.plan import EVERYTHING, Compare, Filter, Window
from app.sessions.funnels import Funnel
from app.sessions.journeys import Flow
from app.sessions.timeline import Moment

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """One session with all that is kept of it.

    Attributes:
        session: derived.
        moments: its events in order; of a thing that was told of in versions, one.
        contexts: of the events.
        received: when Loki got the first line of it, and the last, µs.
    """

    session: Session
    moments: Sequence[Moment]
    contexts: Mapping[int, Context]
    received: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Users, errors or pages, one page of them."""

    items: list[Row]
    next_cursor: str | None
    total: int
    sample: int = 1  # every so many-th session was looked at, and counts so often


@dataclass(frozen=True, slots=True)
class Ranking:
    """A question for users, errors or pages: a page of a total order.

    Attributes:
        least: only those with at least so many sessions.
        sample: of pages, every so many-th session; 0 = as many as the time allows.
    """

    window: Window
    selector: Filter = EVERYTHING
    sort: str = "sessions"
    descending: bool = True
    limit: int = 50
    cursor: str = ""
    least: int = 1
    sample: int = 0


@dataclass(frozen=True, slots=True)
class FlowQuestion:
    """How visitors go from page to page.

    Attributes:
        after: only what follows the first visit of that page.
        before: only what leads to the first visit of that page.
        depth: steps told apart, or 0: all transitions together.
        top: pages shown; all others are one.
        sample: every so many-th session; 0 = as many as the time allows.
        is_brief: sessions at places and on transitions need not be right.
    """

    window: Window
    selector: Filter = EVERYTHING
    after: str = ""
    before: str = ""
    depth: int = 0
    top: int = 20
    sample: int = 0
    is_brief: bool = False


@dataclass(frozen=True, slots=True)
class FunnelQuestion:
    """How many sessions go through steps, in their order.

    Attributes:
        steps: what makes each; every one a condition on views, actions or errors.
        strict: nothing of the kinds that make steps may lie between two of them.
        within: ms from the first step to the last; 0 = any time.
        by: a field of sessions to tell apart by, or "".
        dropped: list sessions that came to this step (from 1) and not to the next.
        limit: sessions listed.
        groups: values of *by* told apart; all others are one.
    """

    window: Window
    steps: tuple[Compare, ...]
    selector: Filter = EVERYTHING
    strict: bool = False
    within: int = 0
    by: str = ""
    dropped: int = 0
    limit: int = 50
    groups: int = 10
    sample: int = 0


@dataclass(frozen=True, slots=True)
class FunnelAnswer:
    """Funnels by label (one with "" when nothing is told apart), largest first."""

    groups: list[tuple[str, Funnel]]
    dropped: list[Row] = field(default_factory=list)
    sample: int = 1  # every so many-th session was looked at, and counts so often


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """A flow, with the names of its pages."""

    flow: Flow
    names: Mapping[int, str]
    sample: int = 1


@dataclass(frozen=True, slots=True)
class Returned:
    """Users of one cohort that were there in one period after it."""

    cohort: int  # begin of the period of their first session, ms
    period: int  # 0 = that period itself
    users: int


@dataclass(frozen=True, slots=True)
class Returns:
    """Who came back; and how many users came first before the range."""

    cells: list[Returned]
    earlier: int


class Insights(Protocol):
    """People, problems and journeys in the index of one tenant."""

    def whole(self, app: str, session_id: str) -> Whole | None:
        """Return one session with its events; None when there is none."""

    def listed(self, app: str, source: str, session_id: str, now: int) -> Row:
        """Return a session's row in the list of sessions; empty when there is none."""

    def neighbours(
        self, app: str, source: str, session_id: str
    ) -> tuple[Row | None, Row | None]:
        """Return the sessions of the same user before and after that one."""

    def people(self, asked: Ranking) -> Ranked:
        """Rank the identified users of sessions."""

    def person(self, user: str, window: Window, selector: Filter) -> Row | None:
        """Return what is known of one user; None when there is none."""

    def problems(self, asked: Ranking) -> Ranked:
        """Rank errors, equal ones together."""

    def problem(self, fingerprint: str, window: Window, selector: Filter) -> Row | None:
        """Return what is known of one group of errors; None when there is none."""

    def places(self, asked: Ranking) -> Ranked:
        """Rank pages."""

    def flow(self, asked: FlowQuestion) -> FlowAnswer:
        """Count transitions between pages."""

    def funnel(self, asked: FunnelQuestion) -> FunnelAnswer:
        """Count sessions step by step."""

    def returns(
        self, window: Window, selector: Filter, step: int, origin: int
    ) -> Returns:
        """Count, of users who came first in one period, those of each later one."""
