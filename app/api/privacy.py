"""Take up what people ask about their data: exports and erasures, as jobs with a state."""

from contextlib import closing
from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate

from app import clock
from app.api.answers import REFUSAL
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.exporting import lines_of
from app.api.service import settings
from app.api.wire import Open
from app.errors import Conflict, NotFound
from app.store import open_privacy_book
from app.store.privacy_seam import DONE, ERASURE, EXPORT, STATES, Request

blp = Blueprint("privacy", __name__, url_prefix="/api/v1", description="Privacy.")

Row = dict[str, Any]
PATHS = {EXPORT: "/api/v1/exports", ERASURE: "/api/v1/erasures"}
MAX_USER = 1_000  # characters

_NUMBER = {"type": "integer", "minimum": 0}
STATE = {
    "type": "object",
    "required": ["id", "state", "progress", "sessions", "events", "created"],
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": list(STATES)},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "sessions": _NUMBER | {"description": "Found by now."},
        "events": _NUMBER | {"description": "Of these."},
        "created": _NUMBER | {"description": "ms"},
        "finished": {"type": ["integer", "null"], "description": "ms"},
        "error": {
            "type": "string",
            "description": "Why it failed; it is tried again all the same.",
        },
        "dry_run": {"type": "boolean", "description": "Of an erasure."},
        "download": {"type": ["string", "null"], "description": "Of an export."},
    },
}


class Flag(fields.Boolean):
    """True or false of JSON; marshmallow's own takes ``"off"`` and ``1`` as well."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("give true or false")
        return value


def _user() -> fields.String:
    return fields.String(
        required=True,
        validate=[validate.Length(1, MAX_USER), validate.Regexp(r"\s*[^\s\0]")],
        metadata={"description": "User id, e-mail, name or anonymous id."},
    )


ExportSchema: type[Schema] = Open.from_dict({"user": _user()}, name="ExportSchema")
ErasureSchema: type[Schema] = Open.from_dict(
    {
        "user": _user(),
        "dry_run": Flag(
            metadata={"description": "Erase nothing, only tell how much it would be."}
        ),
    },
    name="ErasureSchema",
)


@blp.route("/exports", methods=["POST"])
@blp.arguments(ExportSchema)
@blp.doc(
    description="Gather all that is held of one person, by whatever they are known by."
)
@blp.response(202, STATE)
@blp.alt_response(403, schema=REFUSAL, description="No `privacy_token` is set.")
def ask_export(asked: Row) -> Response:
    """Ask for an export."""
    return _take_up(EXPORT, asked["user"])


@blp.route("/erasures", methods=["POST"])
@blp.arguments(ErasureSchema)
@blp.doc(
    description=(
        "Erase one person from the index, and what is read again of what was received "
        "before. Loki keeps its lines: see docs/privacy.md."
    )
)
@blp.response(202, STATE)
@blp.alt_response(403, schema=REFUSAL, description="No `privacy_token` is set.")
def ask_erasure(asked: Row) -> Response:
    """Ask for an erasure."""
    return _take_up(ERASURE, asked["user"], is_dry=asked.get("dry_run", False))


def _take_up(kind: str, user: str, *, is_dry: bool = False) -> Response:
    with closing(open_privacy_book(settings())) as book:
        request = book.add(kind, user, clock.now(), is_dry=is_dry)
    response = answer(shown(request))
    response.status_code = 202
    response.headers["Location"] = f"{PATHS[kind]}/{request.id}"
    return response


@blp.route("/exports/<request_id>", methods=["GET"])
@blp.response(200, STATE)
@blp.alt_response(403, schema=REFUSAL, description="No `privacy_token` is set.")
def show_export(request_id: str) -> Response:
    """Tell how far an export is."""
    return _private(answer(shown(_find(EXPORT, request_id))))


@blp.route("/erasures/<request_id>", methods=["GET"])
@blp.response(200, STATE)
@blp.alt_response(403, schema=REFUSAL, description="No `privacy_token` is set.")
def show_erasure(request_id: str) -> Response:
    """Tell how far an erasure is."""
    return _private(answer(shown(_find(ERASURE, request_id))))


@blp.route("/exports/<request_id>/download", methods=["GET"])
@blp.doc(description="NDJSON: one session a line, its detail with all of its events.")
@blp.response(200, {"type": "string"}, content_type="application/x-ndjson")
@blp.alt_response(403, schema=REFUSAL, description="No `privacy_token` is set.")
@blp.alt_response(409, schema=REFUSAL, description="It is not done yet.")
def download_export(request_id: str) -> Response:
    """Download an export; it is read from the index as it goes."""
    request = _find(EXPORT, request_id)
    if request.state != DONE:
        raise Conflict(
            f"the export is {request.state}; ask for its state until it is done"
        )
    book = open_privacy_book(settings())
    response = Response(
        lines_of(book.read(request.id)),
        content_type="application/x-ndjson",
        direct_passthrough=True,  # never whole in memory
    )
    response.call_on_close(book.close)
    response.headers["Content-Disposition"] = 'attachment; filename="export.ndjson"'
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _find(kind: str, request_id: str) -> Request:
    with closing(open_privacy_book(settings())) as book:
        request = book.get(kind, request_id)
    if request is None:
        raise NotFound(f"no {kind} of that id; one that ended long ago is forgotten")
    return request


def shown(request: Request) -> Row:
    """Lay a request out; nothing of it says whom it is about."""
    row: Row = {
        "id": request.id,
        "state": request.state,
        "progress": request.progress,
        "sessions": request.sessions,
        "events": request.events,
        "created": request.created,
        "finished": request.finished or None,
        "error": request.error,
    }
    if request.kind == ERASURE:
        return row | {"dry_run": request.is_dry}
    is_ready = request.state == DONE
    link = f"{PATHS[EXPORT]}/{request.id}/download" if is_ready else None
    return row | {"download": link}
