"""Decide who may ask: a bearer token, and which browsers.

Exports and erasures ask for a token of their own, ``privacy_token``, and without one they
are refused: whoever may look at a dashboard of Grafana sends requests with the usual one.
"""

import hmac

from flask import Flask, Response, request

from app.api.errors import refuse
from app.errors import SettingsError
from app.settings import Settings

OPEN = frozenset({"/healthz", "/readyz"})  # probes carry no token
PRIVATE = "privacy"  # the blueprint that asks for a token of its own
_CLOSED = (
    "exports and erasures need `privacy_token` in the configuration;"
    " `skald export` and `skald erase` do without"
)


def register_guard(app: Flask, settings: Settings) -> None:
    """Ask for the token, if there is one, and tell browsers what they may do."""
    app.before_request(lambda: _check_token(settings))
    if settings.cors_origins:
        app.after_request(lambda response: _allow_origin(response, settings))


def is_guarded(settings: Settings) -> bool:
    """Say whether a token is needed."""
    return bool(settings.api_token or settings.api_token_file)


def _check_token(settings: Settings) -> Response | None:
    # A browser sends its question before the question without any header of ours.
    is_open = request.path.rstrip("/") in OPEN or request.method == "OPTIONS"
    is_private = request.blueprint == PRIVATE
    if is_open or not (is_private or is_guarded(settings)):
        return None
    if is_private and not settings.privacy_token:
        return refuse(403, "forbidden", _CLOSED)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.privacy_token if is_private else _token(settings)
    is_right = hmac.compare_digest(given.strip().encode(), wanted.encode())
    if scheme.lower() == "bearer" and wanted and is_right:
        return None
    response = refuse(
        401, "unauthorized", "a bearer token is needed, and the right one"
    )
    response.headers["WWW-Authenticate"] = 'Bearer realm="skald"'
    return response


def _token(settings: Settings) -> str:
    if settings.api_token_file is None:
        return settings.api_token
    try:
        return settings.api_token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read api_token_file: {error}") from error


def _allow_origin(response: Response, settings: Settings) -> Response:
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    allowed = settings.cors_origins
    if origin and (origin in allowed or "*" in allowed):
        response.headers["Access-Control-Allow-Origin"] = (
            origin if origin in allowed else "*"
        )
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = (
            "accept, content-type, authorization"
        )
        response.headers["Access-Control-Max-Age"] = "600"
    return response
