"""Show who used the applications."""

from dataclasses import replace

from flask import Response

from app import clock
from app.api.answers import ANSWER, ROWS_OR_PAGE
from app.api.asking import (
    lay_ranked,
    noted,
    read_choice,
    read_ranking,
    read_scope,
    tell_sample,
)
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.insight_schemas import PeopleSchema, ScopedSchema
from app.api.questions import Asked
from app.api.schemas import GRAMMAR
from app.api.service import reader
from app.catalog.fields import FIELDS
from app.errors import NotFound
from app.sessionql.plan import Compare, both

blp = Blueprint("people", __name__, url_prefix="/api/v1", description="Users.")

RANKING = frozenset({"sort", "order", "limit", "cursor", "min_sessions", "format"})
ALWAYS = 4_102_444_800_000  # ms; a default range that begins with the index
_SUMS = ("cost", "tokens", "tokens_in", "tokens_out", "traces", "trace_latency")
SORTABLE = (
    "sessions", "first_seen", "last_seen", "duration", "duration_avg", "views",
    "actions", "errors", "errored_sessions", "failed_requests",
    *(f"{name}{end}" for name in _SUMS if name in FIELDS for end in ("", "_avg")),
    "latency_avg",
)  # fmt: skip


@blp.route("/users", methods=["GET", "POST"])
@blp.arguments(PeopleSchema, location="query")
@blp.doc(
    description=(
        "Identified users of the sessions that began in the range: sessions, first and "
        "last seen, durations, errors, costs. A session's user is the last one "
        f"identified in it. {GRAMMAR}"
    )
)
@blp.response(200, ROWS_OR_PAGE)
def list_users(asked: Asked) -> Response:
    """Rank users."""
    layout = read_choice(asked, "format", ("page", "rows"))
    scope = read_scope(asked, clock.now(), RANKING)
    ranking = read_ranking(asked, scope, "-last_seen", SORTABLE)
    return lay_ranked(reader().people(ranking), ranking, layout)


@blp.route("/users/<path:user_id>", methods=["GET", "POST"])
@blp.arguments(ScopedSchema, location="query")
@blp.doc(
    description=(
        "One user: figures, attributes, newest sessions, and sessions by app, browser, "
        f"page, error ... Default range: all that is kept. {GRAMMAR}"
    )
)
@blp.response(200, ANSWER)
def show_user(asked: Asked, user_id: str) -> Response:
    """Show one user."""
    scope = read_scope(asked, clock.now(), (), ALWAYS)
    found = reader().person(user_id, scope.window, scope.selector)
    if found is None:
        raise NotFound(f"no session of the user {user_id[:80]!r}")
    who = both(scope.selector, Compare("user", "=", (user_id,)))
    return noted(answer(found), tell_sample(reader(), replace(scope, selector=who)))
