"""Fetch the raw lines of one session from the Loki that it came from."""

import re
from typing import Any

import orjson
import xxhash

from app.errors import BadRequest, NotFound
from app.events.mapped import complete
from app.model import Entry
from app.sessions.threads import part_of
from app.settings import Settings, SourceSettings
from app.sources.loki.lines import MAX_NEEDLES, Lines, find_lines
from app.sources.loki.logql import NAME
from app.store.cursors import decode_cursor, encode_cursor
from app.store.insight_seam import Whole

Row = dict[str, Any]

MARGIN = 60_000_000  # µs around the receipt of its first and last event
LONGEST = 4 * 3_600_000_000 + 900_000_000  # µs; a session that was cut went on so long
MAX_LINE = 65_536  # characters shown of one line
NAMELESS = "no line names this session; if it was derived from pauses, none does"
_LEVEL = re.compile(r'\blevel=(\w+)|"level":\s*"(\w+)"')
_LEVELS = {"warn": "warning", "fatal": "critical", "err": "error"}


def raw_page(
    whole: Whole, settings: Settings, cursor: str, limit: int
) -> tuple[list[Row], str | None, list[str]]:
    """Return lines, where to go on, and what to know of them.

    Raises:
        NotFound: the session's source is not configured (any more).
        BadRequest: the cursor is none of ours.
        SourceError: what Loki says.
    """
    source = _source(whole, settings)
    needles, notices = needles_of(whole, source)
    start, end = span_of(whole)
    if cursor:
        start = max(start, decode_cursor(cursor, int)[0])
        if start >= end:
            raise BadRequest("this cursor belongs to another session")
    found: Lines = find_lines(
        source,
        needles,
        (start, end),
        limit=limit,
        timeout_s=settings.query_timeout_s,
        labels=labels_of(source),
    )
    if not (found.entries or cursor or found.next) and source.format == "mapped":
        notices = [*notices, NAMELESS]
    goes_on = None if found.next is None else encode_cursor([found.next])
    return [_row(each) for each in found.entries], goes_on, notices


def _source(whole: Whole, settings: Settings) -> SourceSettings:
    name = whole.session.key.source
    for source in settings.sources:
        if source.name == name:
            return source
    raise NotFound(f"the source {name!r} of this session is not configured any more")


def labels_of(source: SourceSettings) -> list[str]:
    """Return the labels, or structured metadata, in which lines may name a session."""
    if source.format == "mapped":
        ways = complete(source.mapping).session.split("|")
        labels = [each.strip()[1:] for each in ways if each.strip().startswith("@")]
        return [name for name in labels if NAME.fullmatch(name)]
    return _LABELS.get(source.format, [])


_LABELS = {
    "clm": ["session_id"],
    "langfuse": [
        "session_id", "langfuse_session_id", "gen_ai_conversation_id", "trace_id",
    ],
}  # fmt: skip


def needles_of(whole: Whole, source: SourceSettings) -> tuple[list[str], list[str]]:
    """Return what the session's lines contain: its id, or one of its traces or parts.

    In JSON an id may be written with escapes, so it is sought in both spellings.
    """
    session = whole.session
    named = [session.key.id]
    if source.format == "clm" and (source.stitch_ms or source.split_ms):
        parts = {part_of(event) for _, event in whole.moments} - {""}
        named = sorted(parts) or [session.key.id.partition("~")[0]]
    found = dict.fromkeys(
        each for plain in named for each in (plain, orjson.dumps(plain).decode()[1:-1])
    )
    found.update(dict.fromkeys(trace.id for trace in session.traces if trace.id))
    needles = list(found)
    if len(needles) <= MAX_NEEDLES:
        return needles, []
    what = f"traces only, of {len(session.traces)}"
    if not session.traces:
        what = f"page loads only, of {len(needles)}"
    told = f"lines of the first {MAX_NEEDLES - bool(session.traces)} {what}"
    return needles[:MAX_NEEDLES], [told]


def span_of(whole: Whole) -> tuple[int, int]:
    """Return ``[start, end)`` in ns, by Loki's clock, in which its lines came."""
    first, last = whole.received
    end = last + MARGIN
    if whole.session.is_cut:
        end = max(end, first + LONGEST)
    return max(0, first - MARGIN) * 1_000, end * 1_000


def _row(entry: Entry) -> Row:
    labels = {**entry.labels, **entry.metadata}
    level = _level(entry.line, labels)
    text = f"{entry.ts}{sorted(entry.labels.items())}{entry.line}"
    return {
        "timestamp": entry.ts // 1_000_000,
        "ns": str(entry.ts),
        "body": entry.line[:MAX_LINE],
        "severity": level,
        "level": level,
        "id": xxhash.xxh3_64_hexdigest(text.encode(errors="replace")),
        "labels": ", ".join(
            f"{name}={value}" for name, value in sorted(labels.items())
        ),
        "is_cut": len(entry.line) > MAX_LINE,
    }


def _level(line: str, labels: dict[str, str]) -> str:
    said = labels.get("level") or labels.get("detected_level") or ""
    if not said or said == "unknown":
        found = _LEVEL.search(line)
        said = (found[1] or found[2]) if found else ""
    if not said and labels.get("kind") == "exception":
        said = "error"
    return _LEVELS.get(said.lower(), said.lower()) or "info"
