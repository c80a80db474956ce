"""Decode formats that have one JSON object, or one event, a line; and read its values.

What strangers write may have any type anywhere: a value that is not what it should be
is taken to be missing, and never stops a line.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import orjson
import xxhash

from app.events import clean
from app.events.decoder import (
    MAX_ATTRIBUTE,
    MAX_ATTRIBUTES,
    MAX_NAME,
    Address,
    Batch,
    Rule,
)
from app.events.times import parse_time
from app.events.unreadable import Unreadable
from app.model import Context, Event, Labels, Page

MAX_INSTANT = 4_102_444_800_000  # 2100-01-01, ms; no clock of ours is past it
_HUGE = 1e15  # no measurement is; also keeps inf and nan out
_CONTEXTS = 20_000  # remembered by their key
_MAX_DIGITS = 40

_hash = xxhash.xxh3_64_intdigest
_pack = msgspec.msgpack.encode

Fields = Mapping[str, Any]


class Told(NamedTuple):
    """What one line says."""

    app: str
    whose: str  # id of the session; or of the strand: see ``Batch``
    key: int
    at: int
    kind: int
    context: Context
    name: str = ""
    value: float | None = None
    facts: dict[str, Any] | None = None
    way: str = "events"  # field of the batch that it belongs to


class LineDecoder:
    """Decodes line by line; a format says what one line means."""

    shape = ""
    rule: Rule | None = None  # of the threads that it makes

    def __init__(self) -> None:
        self._known: set[int] = set()

    def read(self, line: str, received: int, labels: Labels, /) -> Told:
        """Return what *line* says.

        Args:
            line: as Loki keeps it.
            received: MICROseconds.
            labels: of its stream, and its structured metadata.

        Raises:
            Unreadable: it means nothing to us; says why.
        """
        raise NotImplementedError

    def decode(self, page: Page, batch: Batch) -> None:
        """Add every event of *page* to *batch*; count what cannot be read, by reason."""
        for stream in page.streams:
            for value in stream.values:
                labels = stream.labels
                if len(value) > 2:  # noqa: PLR2004
                    labels = labels | value[2].get("structuredMetadata", {})
                received = int(value[0][:-3] or 0)
                try:
                    told = self.read(value[1], received, labels)
                except Unreadable as reason:
                    batch.drop(str(reason))
                else:
                    self._keep(told, received, batch)
                    batch.decoded += 1
        batch.entries += page.entries
        batch.bytes += page.bytes
        batch.shape = self.shape
        if self.rule is not None:
            batch.rule = self.rule

    def _keep(self, told: Told, received: int, batch: Batch) -> None:
        key = _hash(_pack(told.context)) >> 1
        batch.contexts[key] = told.context
        event = Event(
            told.key, received, told.at, told.kind, key, told.name, told.value, told.facts
        )  # fmt: skip
        address: Address = (told.app, told.whose)
        getattr(batch, told.way).setdefault(address, []).append(event)


def key_of(*parts: object) -> int:
    """Return what stands for an event: equal parts, equal keys."""
    return _hash("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def read_object(line: str) -> dict[str, Any]:
    """Return the JSON object that *line* is.

    Raises:
        Unreadable: it is no JSON, or none of an object.
    """
    try:
        found = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError) as broken:
        raise Unreadable("malformed") from broken
    if not isinstance(found, dict):
        raise Unreadable("not_an_object")
    return found


def text(value: Any, limit: int = MAX_NAME) -> str:
    """Return a scalar as text, at most *limit* characters; "" for anything else."""
    if isinstance(value, str):
        return _valid(value[:limit])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)[:limit]
    return ""


def any_text(value: Any, limit: int) -> str:
    """Return any value as text: what is no scalar as JSON; "" for null."""
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()[:limit]
    return text(value, limit)


def _valid(value: str) -> str:
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def number(value: Any) -> float | None:
    """Return the finite number that *value* is or spells, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) <= _MAX_DIGITS:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and abs(value) < _HUGE:
        return value
    return None


def whole(value: Any) -> int | None:
    """Return the whole number that *value* is or spells, or None."""
    found = number(value)
    return None if found is None else int(found)


def instant(value: Any, per_ms: int = 1) -> int:
    """Return UTC epoch ms of a number, or of text as ISO 8601 has it; 0 when neither.

    Args:
        value: digits (in text as well) or a date.
        per_ms: how many of its units are a millisecond.
    """
    if isinstance(value, str):
        if not value.isascii() or len(value) > _MAX_DIGITS:
            return 0
        if not value.lstrip("-").replace(".", "", 1).isdigit():
            at = parse_time(value)
            return at if 0 < at < MAX_INSTANT else 0
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if not 0 < value < MAX_INSTANT * per_ms:
        return 0
    return int(value // per_ms)


def attributes(
    fields: Fields, scope: str, known: frozenset[str] = frozenset(), depth: int = 3
) -> dict[str, str]:
    """Return *fields* as attributes of *scope*, nested ones by dotted names.

    They are bounded, and URLs in them redacted.
    """
    found: dict[str, str] = {}
    _flatten(fields, scope, known, depth, found)
    return found


def _flatten(
    fields: Fields,
    prefix: str,
    known: frozenset[str],
    depth: int,
    found: dict[str, str],
) -> None:
    for name, value in fields.items():
        if len(found) >= MAX_ATTRIBUTES:
            return
        if name in known or value is None:
            continue
        path = prefix + text(name)
        if isinstance(value, dict) and depth > 1:
            _flatten(value, path + ".", frozenset(), depth - 1, found)
        else:
            said = clean.redact_text(any_text(value, MAX_ATTRIBUTE))
            if said:
                found[path[:MAX_NAME]] = said


def section(fields: Fields, name: str) -> Fields:
    """Return the object under *name*, or an empty one."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def otlp_attributes(value: Any) -> Mapping[str, Any]:
    """Return attributes, of an object or of OTLP's ``[{key, value: {stringValue}}]``."""
    if isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for pair in value if isinstance(value, list) else ():
        if isinstance(pair, dict) and isinstance(pair.get("value"), dict):
            held = next(iter(pair["value"].values()), None)
            if isinstance(held, dict):  # arrayValue
                listed = held.get("values")
                held = [
                    next(iter(each.values()), None)
                    for each in (listed if isinstance(listed, list) else ())
                    if isinstance(each, dict)
                ]
            found[text(pair.get("key"))] = held
    return found
