"""Say how the service fares: alive, ready, measured."""

from typing import Any

from flask import Response

from app import clock
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.service import reader, service
from app.api.telemetry import exposition
from app.errors import SkaldError
from app.store.seam import SourceStatus
from app.version import __version__

blp = Blueprint("operations", __name__, description="Operations.")

STALE_AFTER = 5 * 60_000  # ms without a word from the indexer
_TEXT = "text/plain; version=0.0.4; charset=utf-8"  # of Prometheus' exposition
_SAYS = {"type": "object"}


@blp.route("/healthz", methods=["GET"])
@blp.response(200, _SAYS)
def healthz() -> Response:
    """Say that the process answers."""
    return answer({"status": "ok", "version": __version__})


@blp.route("/readyz", methods=["GET"])
@blp.response(200, _SAYS)
@blp.alt_response(503, schema=_SAYS, description="The index cannot be read.")
def readyz() -> Response:
    """Say whether questions can be answered, and how fresh the sources are.

    A source that is behind does not make the service unready: what is indexed can be
    asked for, and taking the web service away would not bring the source back.
    """
    try:
        sources = reader().sources()
    except SkaldError as error:
        response = answer(
            {"status": "not ready", "message": str(error), "error": error.code}
        )
        response.status_code = 503
        return response
    at = clock.now()
    return answer(
        {"status": "ready", "sources": [_freshness(each, at) for each in sources]}
    )


def _freshness(source: SourceStatus, at: int) -> dict[str, Any]:
    return {
        "name": source.name,
        "indexed_until": source.cursor // 1_000_000,
        "updated": source.updated,
        "is_fresh": at - source.updated <= STALE_AFTER,
    }


@blp.route("/metrics", methods=["GET"])
@blp.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Measure the index and the service, in Prometheus' text format."""
    return Response(exposition(service(), clock.now()), content_type=_TEXT)
