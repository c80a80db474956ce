"""What every decoder offers, and what all of them bound.

A decoder is chosen by ``format`` in the configuration. It is fed whole pages, keeps
bounded caches of what repeats (browsers, pages, users), and never raises for a line.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import msgspec

from app.model import Context, Event, Page
from app.settings import SourceSettings

MAX_NAME = 200  # characters of a name, a type, an id
MAX_URL = 1_000
MAX_TEXT = 1_000  # of a message
MAX_STACK = 4_000
MAX_ATTRIBUTES = 32  # of one event
MAX_ATTRIBUTE = 300  # characters of one attribute's value

Address = tuple[str, str]  # (app, session id): a session within its source


class Rule(msgspec.Struct, frozen=True, gc=False):
    """When the events of a visitor are of one session, where no line says which.

    Attributes:
        gap_ms: so far apart, two parts are of different sessions.
        idle_ms: so far apart, the events of one part are; 0 = they never are.
        has_parts: events say which part they belong to; else each is its own.
    """

    gap_ms: int
    idle_ms: int = 0
    has_parts: bool = False


class Batch(msgspec.Struct, gc=False):
    """What pages came to mean, until the store takes it. The one mutable noun."""

    events: dict[Address, list[Event]] = msgspec.field(default_factory=dict)
    contexts: dict[int, Context] = msgspec.field(default_factory=dict)
    entries: int = 0
    bytes: int = 0
    decoded: int = 0
    dropped: dict[str, int] = msgspec.field(default_factory=dict)  # reason → lines
    # events whose session is not in the line: by (app, trace), by (app, who)
    strands: dict[Address, list[Event]] = msgspec.field(default_factory=dict)
    threads: dict[Address, list[Event]] = msgspec.field(default_factory=dict)
    shape: str = ""  # in which manner sessions are derived; "" = as Faro's
    rule: Rule = Rule(1_800_000)  # of the threads

    def drop(self, reason: str) -> None:
        """Count one line that means nothing to us."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


class Decoder(Protocol):
    """Turns pages into events."""

    def decode(self, page: Page, batch: Batch) -> None:
        """Add every event of *page* to *batch*; count what cannot be read, by reason.

        Args:
            page: of no use afterwards: its lines may be gone.
            batch: what pages came to mean so far.
        """


@runtime_checkable
class Configurable(Protocol):
    """A decoder that the settings of its source tell more."""

    def configure(self, settings: SourceSettings) -> None:
        """Take up what is configured."""


DECODERS: dict[str, Callable[[], Decoder]] = {}  # format → maker


def decoder(
    name: str,
) -> Callable[[Callable[[], Decoder]], Callable[[], Decoder]]:
    """Register the maker of the decoder for ``format: <name>``."""

    def register(maker: Callable[[], Decoder]) -> Callable[[], Decoder]:
        DECODERS[name] = maker
        return maker

    return register


def make_decoder(settings: SourceSettings) -> Decoder:
    """Return a new decoder of a source, as configured."""
    made = DECODERS[settings.format]()
    if isinstance(made, Configurable):
        made.configure(settings)
    return made
