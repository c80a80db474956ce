"""Lay one session out for its page."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.model import Session, Status


def detail(session: Session, listed: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out *session*.

    Args:
        session: derived from its events.
        listed: its row in the list of sessions, by the catalog's names.
    """
    return {
        "id": session.key.id,
        "app": session.key.app,
        "source": session.key.source,
        "overview": _overview(session) | dict(listed),
        "user": _user(session),
        "device": _device(session),
        "attributes": dict(session.attributes),
        "views": [msgspec.structs.asdict(view) for view in session.views],
        "actions": [msgspec.structs.asdict(action) for action in session.actions],
        "errors": [msgspec.structs.asdict(error) for error in session.error_list],
    }


def _overview(session: Session) -> dict[str, Any]:
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
        "views": len(session.views),
        "actions": len(session.actions),
        "errors": session.errors,
        "log_errors": session.log_errors,
        "failed_requests": session.failed_requests,
        "resources": session.resources,
        "events": session.events,
        "skew": session.skew,
        "clamped": session.clamped,
        "is_cut": session.is_cut,
    }


def _user(session: Session) -> dict[str, Any]:
    context = session.context
    return {
        "id": context.user_id,
        "name": context.user_name,
        "email": context.user_email,
        "all": list(session.users),
    }


def _device(session: Session) -> dict[str, Any]:
    context = session.context
    return {
        "type": context.device,
        "browser": context.browser,
        "browser_version": context.browser_version,
        "os": context.os,
        "country": context.country,
        "language": context.language,
        "sdk": context.sdk,
    }
