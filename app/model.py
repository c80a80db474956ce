"""The nouns: what a line becomes on its way to a panel.

Entry (what Loki holds) → Event (what it means) → Session (which belong together) →
Frame (what a panel gets). Instants are UTC epoch milliseconds, ranges half-open;
only what comes straight from Loki counts nanoseconds, and says so.
The hot nouns are ``msgspec`` structs: frozen, slotted, as quick to make as a tuple.
"""

from enum import IntEnum
from typing import Any

import msgspec

Labels = dict[str, str]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One log line as Loki keeps it."""

    ts: int  # when Loki received it, UTC epoch NANOseconds
    line: str
    labels: Labels  # of its stream; shared between the entries of a page
    metadata: Labels  # structured metadata; empty when there is none


class Stream(msgspec.Struct, frozen=True, gc=False):
    """The entries of one stream in one answer, as Loki's JSON has them.

    ``values`` are ``[ts as a string of ns, line]`` or, with metadata,
    ``[ts, line, {"structuredMetadata": {...}}]``: the hot path makes no object a line.
    """

    labels: Labels
    values: list[list[Any]]


class Page(msgspec.Struct, frozen=True, gc=False):
    """Every entry of ``[start, end)`` (ns) and no other."""

    start: int
    end: int
    streams: list[Stream]
    entries: int
    bytes: int  # sum of the lengths of the lines


class Kind(IntEnum):
    """What an event is. The numbers are stored: append, never renumber."""

    LIFECYCLE = 0  # a session began, was resumed or extended
    LOAD = 1  # a document was loaded
    VIEW = 2  # a page, view or component was entered without a load
    ACTION = 3  # the user did something
    ERROR = 4  # an exception
    LOG = 5
    VITAL = 6  # one web vital of one load
    MEASUREMENT = 7
    RESOURCE = 8  # a request of the page, as the browser timed it
    SPAN = 9  # a request of the page, as the tracer saw it
    OTHER = 10  # it happened, and proves that the session was alive
    VISIT = 11  # a view as its source itself tells of it: with an id, in versions
    EXIT = 12  # a view was left
    LONG_TASK = 13  # the page did not answer for a while
    REPLAY = 14  # a part of the session was recorded
    TRACE = 15  # one request to an application that calls language models
    OBSERVATION = 16  # a step of a trace: a span, a generation, a tool ...
    SCORE = 17  # what somebody thought of a trace or a session


class Context(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What many events of a session share: who, on what, in which release, where."""

    app: str = ""
    environment: str = ""
    version: str = ""
    sdk: str = ""
    user_id: str = ""
    user_name: str = ""
    user_email: str = ""
    url: str = ""  # redacted
    page: str = ""  # path of the URL, ids collapsed
    browser: str = ""
    browser_version: str = ""
    os: str = ""
    device: str = ""  # desktop | mobile | tablet | bot
    country: str = ""  # ISO 3166-1 alpha-2
    language: str = ""
    view: str = ""  # the application's own name of the view
    referrer: str = ""  # host of the page the visit came from
    previous: str = ""  # id of the session that this one continues
    attributes: dict[str, str] = {}  # "session.plan", "user.role", "page.title" ...
    city: str = ""
    connection: str = ""  # slow-2g | 2g | 3g | 4g, else what kind it is
    anonymous: str = ""  # id of the browser, of somebody who is not identified


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thing that happened in a session."""

    key: int  # signed 64 bits; the same event has the same key, however often it comes
    received: int  # MICROseconds, Loki's clock: orders what shares a millisecond
    at: int  # ms, the clock of who reports it; 0 = not said
    kind: int  # a Kind
    context: int  # key of its Context
    name: str = ""  # of the action, the error's type, the vital, the URL requested ...
    value: float | None = None  # ms for times, 1 for layout shift, else as measured
    facts: dict[str, Any] | None = None  # what only the timeline shows


class View(msgspec.Struct, frozen=True, gc=False):
    """One visit of one page, view or component."""

    at: int
    page: str
    is_load: bool
    dwell: int | None = None  # ms until the next view; None for the last
    lcp: float | None = None
    inp: float | None = None
    cls: float | None = None
    ttfb: float | None = None
    fcp: float | None = None
    title: str = ""  # the application's own name of it
    url: str = ""  # redacted
    key: str = ""  # the source's own id of it


class Action(msgspec.Struct, frozen=True, gc=False):
    """One thing the user did."""

    at: int
    name: str
    page: str


class Error(msgspec.Struct, frozen=True, gc=False):
    """One exception."""

    at: int
    type: str
    message: str
    fingerprint: str  # what groups equal errors
    page: str


class Step(msgspec.Struct, frozen=True, gc=False):
    """One observation of a trace: a span, a generation, the call of a tool."""

    id: str
    parent: str  # id of the step that it is part of; "" = of the trace itself
    type: str  # GENERATION, SPAN, TOOL ..., as Langfuse writes them
    name: str
    at: int
    duration: int | None  # ms; None = it never ended
    level: str  # DEBUG | DEFAULT | WARNING | ERROR
    message: str
    model: str
    cost: int | None  # pico-USD; None = not said
    tokens_in: int
    tokens_out: int
    tokens: int
    first_token: int | None  # ms from its start
    is_counted: bool  # its usage is its own, and not what its children say already


class Trace(msgspec.Struct, frozen=True, gc=False):
    """One request to an application that calls language models."""

    id: str
    name: str
    at: int
    latency: int  # ms
    user: str
    cost: int  # pico-USD
    tokens_in: int
    tokens_out: int
    tokens: int
    errors: int
    steps: tuple[Step, ...]


class Figures(msgspec.Struct, frozen=True, gc=False):
    """What only some sources tell of a session; 0 and empty otherwise."""

    frustrations: int = 0  # actions that did not do what the user wanted
    crashes: int = 0
    long_tasks: int = 0
    has_replay: bool = False
    replay: int = 0  # ms that were recorded
    segments: int = 0  # pieces that the recording came in
    open_dwell: int | None = None  # ms from the last view to the last event
    traces: int = 0
    observations: int = 0
    generations: int = 0
    warnings: int = 0
    failed_traces: int = 0
    unpriced: int = 0  # generations of which no cost is known
    cost: int = 0  # pico-USD
    tokens_in: int = 0
    tokens_out: int = 0
    tokens: int = 0
    trace_latency: int = 0  # ms, summed
    generation_time: int = 0  # ms, summed
    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    scores: tuple[tuple[str, float | str], ...] = ()  # (name, value), sorted


class SessionKey(msgspec.Struct, frozen=True, gc=False):
    """What makes a session itself, beside the tenant."""

    source: str
    app: str
    id: str


class Status(IntEnum):
    """How a session fared; exclusive, and the shares sum to one."""

    HEALTHY = 0
    ERRORED = 1  # at least one error
    CRASHED = 2  # at least one error that ended the application
    ABNORMAL = 3  # it ended in a way that its source calls abnormal


class Session(msgspec.Struct, frozen=True, gc=False):
    """A session, derived from the set of its events and from nothing else."""

    key: SessionKey
    start: int
    end: int
    context: Context  # the newest that says something, field by field
    entry: str
    exit: str
    status: Status
    events: int
    view_count: int  # the lists below are bounded, the counts are not
    action_count: int
    errors: int
    log_errors: int
    failed_requests: int  # HTTP status of 400 and above
    resources: int
    skew: int  # ms that the reporter's clock is behind Loki's; 0 = trusted
    clamped: int  # events whose own time could not be believed
    is_cut: bool  # some events were over the bound and are not counted
    views: tuple[View, ...]
    actions: tuple[Action, ...]
    error_list: tuple[Error, ...]
    users: tuple[str, ...]  # all identities, in order of appearance
    attributes: tuple[tuple[str, str], ...]  # sorted (name, value)
    minutes: tuple[int, ...]  # minutes since the epoch in which it had an event
    figures: Figures = Figures()
    traces: tuple[Trace, ...] = ()  # of a source that knows them; bounded
