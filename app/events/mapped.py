"""Decode any other log, by a mapping: which field says what, and what a line is.

Lines that name no session are divided by visitor: the user, or else a keyed hash of
what tells visitors apart, such as address and agent. Its key changes with time, so that
nobody can be followed for longer; neither address nor agent is ever kept.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

from app.events import clean, devices
from app.events.agents import describe_agent
from app.events.decoder import MAX_ATTRIBUTE, MAX_STACK, MAX_TEXT, Rule, decoder
from app.events.lines import LineDecoder, Told, instant, key_of, number
from app.events.paths import Condition, Line, Path
from app.events.plain_lines import READERS, access_time
from app.events.presets import PRESETS
from app.events.unreadable import Unreadable
from app.model import Context, Kind, Labels
from app.settings import EventSettings, MappingSettings, SourceSettings

KINDS = {
    "view": Kind.VISIT,
    "action": Kind.ACTION,
    "error": Kind.ERROR,
    "log": Kind.LOG,
    "request": Kind.RESOURCE,
    "measurement": Kind.MEASUREMENT,
    "other": Kind.OTHER,
}
UNITS = {"s": 1_000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}  # in ms
_PER_MS = {"ms": 1, "us": 1_000, "ns": 1_000_000}
_DIGITS = 20
_NANO, _MICRO, _MILLI = 10**16, 10**13, 10**11  # a number over it is of that unit
_CONTEXT = (
    "environment", "version", "user_name", "user_email", "country", "language", "city",
    "connection",
)  # fmt: skip


class Reading(NamedTuple):
    """How one kind of event is read."""

    kind: Kind
    when: Condition
    paths: dict[str, Path]


@decoder("mapped")
class MappedDecoder(LineDecoder):
    """Decodes the lines of one source, as its mapping says."""

    shape = "mapped"

    def __init__(self) -> None:
        super().__init__()
        self.configure(SourceSettings())

    def configure(self, settings: SourceSettings) -> None:
        """Take up the mapping; what it does not say, its preset does."""
        self._mapping = complete(settings.mapping)
        mapping = self._mapping
        self._take_apart = READERS[mapping.line]
        self._paths = {
            name: Path(getattr(mapping, name))
            for name in (
                *_CONTEXT, "app", "session", "user", "page", "url", "referrer", "agent",
                "title", "time",
            )
        }  # fmt: skip
        self._who = [Path(each) for each in mapping.who.split(",") if each.strip()]
        self._attributes = _pairs(mapping.attributes)
        self._readings = [_reading(each, mapping) for each in mapping.events]
        self._instant = _clock(mapping.time_unit)
        self.rule = Rule(mapping.gap_ms)

    def read(self, line: str, received: int, labels: Labels) -> Told:
        """Return what *line* says.

        Raises:
            Unreadable: it cannot be taken apart, is no event, or nobody's.
        """
        said = Line(self._take_apart(line), labels)
        reading = next((each for each in self._readings if each.when.holds(said)), None)
        if reading is None:
            raise Unreadable("no_event")
        at = self._instant(self._paths["time"].find(said)) or received // 1000
        context = self._context(said)
        name, value, facts = _item(reading, said, context)
        session_id = clean.session_id(self._paths["session"].text(said, MAX_TEXT))
        whose, way = session_id, "events"
        if not session_id:
            whose, way = self._visitor(said, context, at), "threads"
        key = key_of(context.app, at, line)
        return Told(
            context.app, whose, key, at, int(reading.kind), context, name, value,
            facts or None, way,
        )  # fmt: skip

    def _visitor(self, said: Line, context: Context, at: int) -> str:
        """Return what stands for the visitor.

        Raises:
            Unreadable: nothing tells visitors apart.
        """
        if context.user_id:
            return _digest("", "user", context.user_id)
        parts = [path.text(said, MAX_TEXT) for path in self._who]
        if not any(parts):
            raise Unreadable("no_session")
        mapping = self._mapping
        period = at // mapping.rotate_ms if mapping.rotate_ms else 0
        return _digest(f"{mapping.salt}\0{period}", *parts)

    def _context(self, said: Line) -> Context:
        def find(name: str, limit: int = 200) -> str:
            return self._paths[name].text(said, limit)

        url = clean.redact_url(find("url", MAX_STACK))
        agent = find("agent", MAX_TEXT)
        device = describe_agent(agent) if agent else devices.UNKNOWN
        return Context(
            app=find("app"),
            user_id=find("user"),
            url=url,
            page=find("page", MAX_TEXT) or clean.path_of(url),
            view=find("title"),
            referrer=clean.host_of(find("referrer", MAX_STACK)),
            browser=device.browser,
            browser_version=device.version,
            os=device.os,
            device=device.device,
            attributes={
                name: found
                for name, path in self._attributes
                if (found := path.text(said, MAX_ATTRIBUTE))
            },
            **{name: find(name) for name in _CONTEXT},
        )


_UNSAID = {
    "line": "json",
    "app": "@app | @job",
    "environment": "@env | @environment",
    "duration_unit": "ms",
}


def complete(mapping: MappingSettings) -> MappingSettings:
    """Return *mapping* with what its preset says where it says nothing."""
    default = MappingSettings()
    ready = dict(PRESETS[mapping.preset])
    ready["events"] = tuple(EventSettings(**each) for each in ready.get("events", ()))
    said = {
        each.name: value
        for each in fields(mapping)
        if (value := getattr(mapping, each.name)) != getattr(default, each.name)
    }
    return replace(default, **(_UNSAID | ready | said))


def _reading(settings: EventSettings, mapping: MappingSettings) -> Reading:
    names = ("name", "value", "status", "method", "message", "stack", "trace")
    paths = {name: Path(getattr(settings, name)) for name in names}
    paths["value"] = paths["value"] or Path(mapping.duration)
    reading = Reading(KINDS[settings.kind], Condition(settings.when), paths)
    unit = settings.unit if settings.value else mapping.duration_unit
    reading.paths["unit"] = Path(f"={unit}")
    return reading


def _item(
    reading: Reading, said: Line, context: Context
) -> tuple[str, float | None, dict[str, Any]]:
    paths = reading.paths
    facts: dict[str, Any] = {}
    status = number(paths["status"].find(said))
    if status:
        facts["status"] = int(status)
    for name, limit in (("method", 20), ("trace", 64)):
        found = paths[name].text(said, limit)
        if found:
            facts[name] = found
    for name, limit in (("message", MAX_TEXT), ("stack", MAX_STACK)):
        found = clean.redact_text(paths[name].text(said, limit))
        if found:
            facts[name] = found
    value = number(paths["value"].find(said))
    if value is not None:
        value *= UNITS[paths["unit"].text(said)]
    name = paths["name"].text(said, MAX_TEXT)
    if reading.kind is Kind.RESOURCE:
        name = clean.redact_url(name or context.url)
    if reading.kind is Kind.ERROR:
        name = name or "Error"
    if reading.kind is Kind.VISIT:
        value = None  # how long a request took is not how long its page was looked at
    return name[:200], value, facts


def _pairs(source: str) -> list[tuple[str, Path]]:
    """Read ``plan=account.plan, region=@region``."""
    pairs = [each.partition("=") for each in source.split(",") if each.strip()]
    return [(f"session.{name.strip()}", Path(path or name)) for name, _, path in pairs]


def _digest(key: str, *parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    secret = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).digest()
    return blake2b(text, key=secret, digest_size=8).hexdigest()


def _clock(unit: str) -> Callable[[Any], int]:
    if unit == "auto":
        return _any_instant
    if unit == "s":
        return _seconds
    return partial(instant, per_ms=_PER_MS[unit])


def _seconds(value: Any) -> int:
    found = number(value)
    return _any_instant(value) if found is None else instant(found * 1000)


def _any_instant(value: Any) -> int:
    """Return epoch ms of a date, or of a number by its size: s, ms, µs or ns."""
    if isinstance(value, str) and "/" in value:
        return access_time(value)
    found = float(value) if isinstance(value, int | float) else None
    if (
        isinstance(value, str)
        and value.replace(".", "", 1).isdigit()
        and len(value) <= _DIGITS
    ):
        found = float(value)
    if found is None:
        return instant(value)
    for least, per_ms in ((_NANO, 1_000_000), (_MICRO, 1_000), (_MILLI, 1)):
        if found >= least:
            exact = (
                int(value) if isinstance(value, int) or str(value).isdigit() else found
            )
            return instant(exact, per_ms)
    return instant(found * 1000)
