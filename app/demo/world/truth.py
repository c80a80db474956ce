"""What really happened in a world, told by the simulation and never read from lines."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Vitals:
    """The web vitals reported for one full page load; None where none was sent.

    Also those that a new session still reports for the page on which it began.
    """

    path: str
    navigation_id: str  # the document's faroNavigationId
    ttfb: float | None = None  # ms
    fcp: float | None = None  # ms
    lcp: float | None = None  # ms
    cls: float | None = None  # no unit
    inp: float | None = None  # ms
    fid: float | None = None  # ms; only by the SDK 1.x


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the application named them to the SDK; empty where it did not."""

    id: str
    email: str
    username: str


@dataclass(frozen=True, slots=True)
class SessionTruth:
    """One session as it was.

    Broken lines (see `BrokenTruth`) and second copies of a line are in none of these
    counts.
    """

    app: str
    environment: str
    version: str
    session_id: str
    visitor: int  # who it was, whether identified or not
    start_ms: int  # of its lines, on the true clock; a skewed browser adds skew_ms
    end_ms: int
    skew_ms: int  # how wrong the browser's clock was
    first_received_ns: int
    last_received_ns: int
    pages: tuple[str, ...]  # paths of its views in order: full loads and SPA changes
    page_loads: int  # how many of them were full loads
    entry_url: str
    errors: int  # distinct exception lines
    error_logs: int  # log lines of level error
    api_errors: int  # resources with a status of 400 and above
    resources: int  # all resource lines
    actions: int  # faro.user.action events
    events: int  # the application's own events (cart_add, purchase, login, ...)
    purchases: int
    users: tuple[Person, ...]  # in the order of their first line
    user: Person | None  # the last identified one
    browser: str  # browser_name, as the SDK says it
    browser_version: str
    os: str  # browser_os, as the SDK says it
    device: str  # desktop, mobile or tablet
    language: str
    country: str  # where the visitor is; lines say so only in the OTel dialect
    has_geo: bool  # whether the lines carry the country
    previous_session: str  # for one that began by rotation on an open page, else ""
    vitals: tuple[Vitals, ...]  # per full load, in order
    lines: int  # distinct lines
    stored: int  # entries that Loki keeps: also second copies with another stamp

    @property
    def entry(self) -> str:
        """The first page; empty when no page is known."""
        return self.pages[0] if self.pages else ""

    @property
    def exit(self) -> str:
        """The last page; empty when no page is known."""
        return self.pages[-1] if self.pages else ""

    @property
    def views(self) -> int:
        """How many pages were viewed."""
        return len(self.pages)


class Counts(StrEnum):
    """What a broken line counts as."""

    UNREADABLE = "unreadable"  # not one well-formed line of the format
    NO_SESSION = "no_session"  # readable, but of no session
    SESSION = "session"  # readable, and makes a session of its own
    UNKNOWN = "unknown"  # readable, of a session, but of a kind that means nothing yet


@dataclass(frozen=True, slots=True)
class BrokenTruth:
    """One line of mischief, which belongs to no simulated session."""

    ts: int  # as Loki has it, epoch ns
    defect: str
    counts: Counts
    session_id: str  # empty unless it counts as a session or is of an unknown kind
    app: str
