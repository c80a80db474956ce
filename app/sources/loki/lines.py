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
    labels: Sequence[str] = (),
) -> Lines:
    """Return the oldest lines of *source* that contain any of *needles*.

    One nanosecond is never divided, so a burst can make the answer longer than *limit*.

    Args:
        source: its selector and its Loki.
        needles: texts, not empty; at most ``MAX_NEEDLES``.
        span: ``[start, end)`` in ns.
        limit: lines, about.
        timeout_s: of one request, and after which no further one is made.
        labels: names of labels, or of structured metadata; an entry of which one of
            them is a needle is found as well.

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
    selector = parse_selector(source.selector)
    queries = [narrow(selector, needles)]
    if labels:
        queries.append(narrow_by_labels(selector, labels, needles))
    client = Client(loki, Waiter(loki.retries, Counters(), threading.Event()))
    until = clock.monotonic() + timeout_s
    try:
        found = [
            _first_page(client, Pager(each, Gauge(loki)), span, until)
            for each in queries
        ]
    finally:
        client.close()
    reached = min(at for _, at in found)
    entries = {
        (entry.ts, entry.line, tuple(sorted(entry.labels.items()))): entry
        for each, _ in found
        for entry in each
        if entry.ts < reached
    }
    kept = [entries[key] for key in sorted(entries)]
    return Lines(kept, reached if reached < span[1] else None)


def _first_page(
    client: Client, pager: Pager, span: tuple[int, int], until: float
) -> tuple[list[Entry], int]:
    """Return the oldest entries there are, and where those after them begin, ns."""
    at, end = span
    entries: list[Entry] = []
    while at < end and not entries and clock.monotonic() < until:
        page = pager.page(client, at, end)
        entries, at = _entries(page.streams), page.end
    return entries, at


def narrow(query: Query, needles: Sequence[str]) -> Query:
    """Narrow *query* to lines that contain any of *needles*."""
    if len(needles) == 1:
        return by_text(query, needles[0]).having
    stages = f"{query.stages} " if query.stages else " "
    return query._replace(stages=f"{stages}|~ {quote(_any_of(needles))}")


def narrow_by_labels(
    query: Query, labels: Sequence[str], values: Sequence[str]
) -> Query:
    """Narrow *query* to entries of which one of *labels* is one of *values*."""
    pattern = quote(_any_of(values))
    stages = f"{query.stages} " if query.stages else " "
    either = " or ".join(f"{name}=~{pattern}" for name in labels)
    return query._replace(stages=f"{stages}| {either}")


def _any_of(texts: Sequence[str]) -> str:
    return "|".join(_SPECIAL.sub(r"\\\g<0>", each) for each in texts)


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
