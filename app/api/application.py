"""Put the web service together."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from app.api import (
    annotations,
    catalogue,
    changes,
    cohorts,
    grafana_json,
    journeys,
    one_session,
    operations,
    people,
    privacy,
    problems,
    queries,
    rules,
    sessions,
    status,
    variables,
)
from app.api.encoding import register_compression
from app.api.errors import SkaldApi, register_errors
from app.api.guard import is_guarded, register_guard
from app.api.service import OpenReader, build_service, install
from app.api.telemetry import register_telemetry
from app.catalog.metrics import METRICS
from app.sessionql.language import parse
from app.settings import Settings
from app.version import __version__

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLUEPRINTS = (
    catalogue.blp,
    queries.blp,
    changes.blp,
    sessions.blp,
    one_session.blp,
    people.blp,
    problems.blp,
    journeys.blp,
    cohorts.blp,
    annotations.blp,
    variables.blp,
    grafana_json.blp,
    rules.blp,
    privacy.blp,
    status.blp,
    operations.blp,
)


def build(settings: Settings, open_reader: OpenReader) -> Flask:
    """Build the application.

    Args:
        settings: what is configured.
        open_reader: opens the index for one request.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False  # Grafana asks with and without, redirects cost
    app.config |= _configuration(settings)
    service = build_service(settings, open_reader)
    install(app, service)
    register_telemetry(app, service)
    register_guard(app, settings)
    register_compression(app)
    api = SkaldApi(app)
    register_errors(app)
    app.wsgi_app = mend_paths(app.wsgi_app)  # type: ignore[assignment,method-assign]
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    for metric in METRICS.values():  # or the first question would wait for the parser
        parse(metric.text)
    return app


_BELOW_JSON = re.compile(
    r"^/json/.+/(metrics|metric-payload-options|query|variable|search|tag-keys|tag-values"
    r"|annotations)/?$"
)


def mend_paths(inner: "WSGIApplication") -> "WSGIApplication":
    """Take ``//json/query`` and ``/json/shop/query`` for ``/json/query``.

    A base URL with a slash at its end makes the one, a data source whose URL goes on
    after ``/json`` the other; a redirect, which is Flask's answer, would send a browser
    behind Grafana's proxy to a host that it cannot reach.
    """

    def serve(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = re.sub("/{2,}", "/", environ.get("PATH_INFO", ""))
        environ["PATH_INFO"] = _BELOW_JSON.sub(r"/json/\1", path)
        return inner(environ, start_response)

    return serve


def _configuration(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {"info": {"description": "Sessions of your users."}}
    if is_guarded(settings):
        bearer = {"type": "http", "scheme": "bearer"}
        options["components"] = {"securitySchemes": {"token": bearer}}
        options["security"] = [{"token": []}]
    return {
        "API_TITLE": "Skald",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": options,
        "MAX_CONTENT_LENGTH": settings.max_body_bytes,
        "MAX_FORM_MEMORY_SIZE": settings.max_body_bytes,
    }
