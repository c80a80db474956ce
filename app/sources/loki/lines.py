"""Find the raw lines that name something: one session, or the traces of it."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app import clock
from app.model import Entry
from app.settings import SourceSettings
from app.sources.loki.client import Client
from app.sources.loki.counters import Counters
from app.sources.loki.gauge import Gauge
from app.sources.loki.logql import Query, by_text, parse_selector, quote
from app.sources.loki.pager import Pager
from app.sources.loki.patience import Waiter
from app.sources.model import Stream

MAX_NEEDLES = 100
PAGE_BYTES = 1 << 20  # aimed at for one answer
RETRIES = 1  # somebody waits
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")  # in RE2


@dataclass(frozen=True, slots=True)
class Lines:
    """The oldest lines of a range.

    Attributes:
        entries: by time, then by line; all of ``[start of the range, next)``.
        next: ns, where to go on; None when that was all.
    """

    entries: list[Entry]
    next: int | None


def find_lines(
    source: SourceSettings,
    needles: Sequence[str],
    span: tuple[int, int],
    *,
    limit: int,
    timeout_s: float,
) -> Lines:
    """Return the oldest lines of *source* that contain any of *needles*.

    One nanosecond is never divided, so a burst can make the answer longer than *limit*.

    Args:
        source: its selector and its Loki.
        needles: texts, not empty; at most ``MAX_NEEDLES``.
        span: ``[start, end)`` in ns.
        limit: lines, about.
        timeout_s: of one request, and after which no further one is made.

    Raises:
        SourceRefused: Loki's own text; asking again will not help.
        SourceUnavailable: Loki does not answer.
    """
    loki = replace(
        source.loki,
        limit=max(2, min(limit, source.loki.limit)),
        page_bytes=min(PAGE_BYTES, source.loki.page_bytes),
        timeout_s=min(timeout_s, source.loki.timeout_s),
        retries=min(RETRIES, source.loki.retries),
    )
    pager = Pager(narrow(parse_selector(source.selector), needles), Gauge(loki))
    client = Client(loki, Waiter(loki.retries, Counters(), threading.Event()))
    until = clock.monotonic() + timeout_s
    at, end = span
    entries: list[Entry] = []
    try:
        while at < end and not entries and clock.monotonic() < until:
            page = pager.page(client, at, end)
            entries, at = _entries(page.streams), page.end
    finally:
        client.close()
    return Lines(entries, at if at < end else None)


def narrow(query: Query, needles: Sequence[str]) -> Query:
    """Narrow *query* to lines that contain any of *needles*."""
    if len(needles) == 1:
        return by_text(query, needles[0]).having
    pattern = "|".join(_SPECIAL.sub(r"\\\g<0>", each) for each in needles)
    stages = f"{query.stages} " if query.stages else " "
    return query._replace(stages=f"{stages}|~ {quote(pattern)}")


def _entries(streams: Sequence[Stream]) -> list[Entry]:
    found = [
        Entry(int(value[0]), value[1], stream.labels, _metadata(value))
        for stream in streams
        for value in stream.values
    ]
    return sorted(found, key=lambda each: (each.ts, each.line))


def _metadata(value: list[object]) -> dict[str, str]:
    more = value[2] if len(value) > 2 else None  # noqa: PLR2004 - Loki's shape
    held = more.get("structuredMetadata") if isinstance(more, dict) else None
    return held if isinstance(held, dict) else {}
