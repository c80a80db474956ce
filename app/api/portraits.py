"""Describe one session in single values: who, on what, how much of everything."""

from typing import Any

import msgspec

from app.events.money import usd
from app.model import Session, Status

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
