"""Show what went wrong: errors, equal ones together."""

from dataclasses import replace
from typing import Any

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
from app.api.details import Detail
from app.api.encoding import answer
from app.api.insight_schemas import ProblemsSchema, ScopedSchema
from app.api.people import ALWAYS, RANKING
from app.api.questions import Asked
from app.api.schemas import GRAMMAR
from app.api.service import reader
from app.errors import NotFound
from app.sessionql.plan import Compare, both

blp = Blueprint("problems", __name__, url_prefix="/api/v1", description="Errors.")

SORTABLE = ("count", "sessions", "users", "first_seen", "last_seen")
_GROUPS = 1_000  # of one session, looked through for a stack


@blp.route("/errors", methods=["GET", "POST"])
@blp.arguments(ProblemsSchema, location="query")
@blp.doc(
    description=(
        "Errors of the sessions that began in the range, by fingerprint: how often, in "
        "how many sessions, of how many users, when and in which version first and "
        f"last. Filters on `error`, `message`, `fingerprint` choose errors. {GRAMMAR}"
    )
)
@blp.response(200, ROWS_OR_PAGE)
def list_errors(asked: Asked) -> Response:
    """Rank errors."""
    layout = read_choice(asked, "format", ("page", "rows"))
    scope = read_scope(asked, clock.now(), RANKING)
    ranking = read_ranking(asked, scope, "-count", SORTABLE)
    return lay_ranked(reader().problems(ranking), ranking, layout)


@blp.route("/errors/<fingerprint>", methods=["GET", "POST"])
@blp.arguments(ScopedSchema, location="query")
@blp.doc(
    description=(
        "One group of errors: a stack, newest sessions, and sessions by version, "
        f"browser, page ... Default range: all that is kept. {GRAMMAR}"
    )
)
@blp.response(200, ANSWER)
def show_error(asked: Asked, fingerprint: str) -> Response:
    """Show one group of errors."""
    scope = read_scope(asked, clock.now(), (), ALWAYS)
    found = reader().problem(fingerprint, scope.window, scope.selector)
    if found is None:
        raise NotFound(f"no error with the fingerprint {fingerprint[:80]!r}")
    which = both(scope.selector, Compare("fingerprint", "=", (fingerprint,)))
    notices = tell_sample(reader(), replace(scope, selector=which))
    return noted(answer(found | _sample(found)), notices)


def _sample(found: dict[str, Any]) -> dict[str, Any]:
    """Return the stack of an occurrence, out of the last session that has it."""
    whole = reader().whole(found["app"], found["session"])
    if whole is not None:
        for row in Detail(whole, {}, (None, None), _GROUPS).errors():
            if row["fingerprint"] == found["fingerprint"]:
                return {"stack": row["stack"], "fatal": row["fatal"]}
    return {"stack": "", "fatal": False}
