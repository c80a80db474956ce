"""Describe one session in single values: who, on what, how much of everything."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from app.events.money import usd
from app.model import Session, Status
from app.settings import SourceSettings

Row = dict[str, Any]


def overview_of(session: Session) -> Row:
    """Lay out what happened, in numbers."""
    context = session.context
    return {
        "start": session.start,
        "end": session.end,
        "duration": session.end - session.start,
        "status": Status(session.status).name.lower(),
        "environment": context.environment,
        "version": context.version,
        "entry": session.entry,
        "exit": session.exit,
        "referrer": context.referrer,
        "previous": context.previous,
        "views": session.view_count,
        "actions": session.action_count,
        "errors": session.errors,
        "log_errors": session.log_errors,
        "failed_requests": session.failed_requests,
        "resources": session.resources,
        "events": session.events,
        "skew": session.skew,
        "clamped": session.clamped,
        "is_cut": session.is_cut,
    }


def replay_of(session: Session, sources: Iterable[SourceSettings]) -> str | None:
    """Return where the replay of a session can be watched; None when it has none."""
    templates = {each.name: each.replay_link for each in sources}
    template = templates.get(session.key.source)
    if not template or not session.figures.has_replay:
        return None
    for name, value in (
        ("session", session.key.id),
        ("app", session.key.app),
        ("start", session.start),
        ("end", session.end),
    ):
        template = template.replace(f"{{{name}}}", quote(str(value), safe=""))
    return template


def figures_of(session: Session) -> Row:
    """Lay out what only some sources tell; times in ms, costs in USD."""
    found = msgspec.structs.asdict(session.figures)
    lists = {
        "models": list(session.figures.models),
        "tags": list(session.figures.tags),
        "scores": [f"{name}={value}" for name, value in session.figures.scores],
    }
    return found | {"cost": usd(session.figures.cost)} | lists


def user_of(session: Session) -> Row:
    """Lay out who it was."""
    context = session.context
    return {
        "id": context.user_id,
        "name": context.user_name,
        "email": context.user_email,
        "anonymous": context.anonymous,
        "all": list(session.users),
    }


def device_of(session: Session) -> Row:
    """Lay out what it ran on."""
    context, attributes = session.context, dict(session.attributes)
    return {
        "type": context.device,
        "browser": context.browser,
        "browser_version": context.browser_version,
        "os": context.os,
        "os_version": attributes.get("session.os_version", ""),
        "country": context.country,
        "language": context.language,
        "sdk": context.sdk,
        "screen": attributes.get("session.screen", ""),
        "viewport": attributes.get("session.viewport", ""),
    }


def text_of(value: Any) -> str:
    """Write a value for people."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
