"""Decode the lines of the CLM component tracker: visits, exits, interactions, errors.

The application is the label ``job``; ``service_name`` holds a component, since Loki
takes the first label that looks like one. What an interaction or an error says more is
spread over the line last, and may overwrite the name of its component.
"""

from typing import Any

from app.events import clean, devices
from app.events.agents import describe_agent
from app.events.decoder import MAX_ATTRIBUTE, MAX_STACK, MAX_TEXT, Rule, decoder
from app.events.lines import (
    Fields,
    LineDecoder,
    Told,
    any_text,
    attributes,
    instant,
    key_of,
    number,
    read_object,
    text,
)
from app.events.unreadable import Unreadable
from app.model import Context, Kind, Labels
from app.settings import SourceSettings

KINDS = {
    "component_visit": Kind.VISIT,
    "component_exit": Kind.EXIT,
    "component_interaction": Kind.ACTION,
    "component_error": Kind.ERROR,
    "http_request": Kind.RESOURCE,
}
_KNOWN = frozenset(
    (
        "event", "component_hash", "component_name", "component", "interaction_type",
        "timestamp", "user_id", "session_id", "url", "referrer", "duration_ms",
        "duration_seconds", "error_message", "error_stack", "method", "path",
        "user_agent", "ip", "status",
    )
)  # fmt: skip


@decoder("clm")
class ClmDecoder(LineDecoder):
    """Decodes the lines of one source."""

    shape = "clm"

    def configure(self, settings: SourceSettings) -> None:
        """Take up whether page loads are stitched, and sessions split where idle."""
        stitch, split = settings.stitch_ms, settings.split_ms
        if stitch:
            self.rule = Rule(stitch, split, has_parts=True)
        elif split:
            self.rule = Rule(split)

    def read(self, line: str, received: int, labels: Labels) -> Told:
        """Return what *line* says.

        Raises:
            Unreadable: no JSON object, no event of the tracker, no session.
        """
        fields = read_object(line)
        event = _event(fields, labels)
        said = fields.get("session_id", labels.get("session_id"))
        session_id = clean.session_id(text(said, limit=MAX_TEXT))
        if not session_id:
            raise Unreadable("no_session")
        at = instant(fields.get("timestamp")) or received // 1000
        kind = int(KINDS.get(event, Kind.OTHER))
        context = _context(fields, labels, event)
        name, value, facts = _ITEMS[kind](fields)
        key = key_of(context.app, at, line)
        whose, way = session_id, "events"
        if self.rule:
            way = "threads"
            if self.rule.has_parts:
                facts["part"] = session_id
                whose = context.user_id or session_id
        return Told(
            context.app, whose, key, at, kind, context, name, value, facts or None, way
        )


def _event(fields: Fields, labels: Labels) -> str:
    """Return what happened; what a line says more may go over it, the label stays.

    Raises:
        Unreadable: it is nothing of the tracker's.
    """
    own = text(fields.get("event"))
    for event in (own, labels.get("event", "") if own else ""):
        if event.startswith("component_") or event in KINDS:
            return event
    raise Unreadable("not_clm")


def _context(fields: Fields, labels: Labels, event: str) -> Context:
    url = clean.redact_url(text(fields.get("url"), MAX_STACK))
    component = text(fields.get("component_hash") or fields.get("component"))
    is_visit = event == "component_visit"
    agent = text(fields.get("user_agent"), MAX_TEXT)
    browser = describe_agent(agent) if agent else devices.UNKNOWN
    return Context(
        app=labels.get("job", ""),
        environment=labels.get("env") or labels.get("environment", ""),
        user_id=text(fields.get("user_id", labels.get("user_id"))),
        url=url,
        page=component,
        view=text(fields.get("component_name")) if is_visit else "",
        referrer=clean.host_of(text(fields.get("referrer"), MAX_STACK)),
        browser=browser.browser,
        browser_version=browser.version,
        os=browser.os,
        device=browser.device,
    )


Item = tuple[str, float | None, dict[str, Any]]


def _visit(fields: Fields) -> Item:
    return text(fields.get("component_hash") or fields.get("component")), None, {}


def _exit(fields: Fields) -> Item:
    spent = number(fields.get("duration_ms"))
    if spent is None:
        seconds = number(fields.get("duration_seconds"))
        spent = None if seconds is None else seconds * 1000
    return _visit(fields)[0], spent, {}


def _interaction(fields: Fields) -> Item:
    spent = number(fields.get("load_time_ms"))
    said = attributes(fields, "", _KNOWN, depth=1)
    return text(fields.get("interaction_type")) or "interaction", spent, dict(said)


def _error(fields: Fields) -> Item:
    message = any_text(fields.get("error_message"), MAX_TEXT)
    stack = text(fields.get("error_stack"), MAX_STACK)
    facts: dict[str, Any] = {"message": clean.redact_text(message)}
    if stack:
        facts["stack"] = stack
    head, colon, _ = message.partition(":")
    is_type = (
        bool(colon) and head.isidentifier() and head.endswith(("Error", "Exception"))
    )
    return head if is_type else "Error", None, facts


def _request(fields: Fields) -> Item:
    facts: dict[str, Any] = {}
    for name in ("method", "status"):
        found = fields.get(name)
        if found is not None:
            is_code = name == "status"
            facts[name] = int(number(found) or 0) if is_code else text(found, 20)
    return clean.redact_url(text(fields.get("path"), MAX_STACK)), None, facts


def _other(fields: Fields) -> Item:
    said = attributes(fields, "", _KNOWN, depth=1)
    return text(fields.get("event"), MAX_ATTRIBUTE), None, dict(said)


_ITEMS = {
    int(Kind.VISIT): _visit,
    int(Kind.EXIT): _exit,
    int(Kind.ACTION): _interaction,
    int(Kind.ERROR): _error,
    int(Kind.RESOURCE): _request,
    int(Kind.OTHER): _other,
}
