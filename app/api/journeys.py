"""Show how visitors went: from page to page, and through funnels."""

from collections.abc import Sequence
from typing import Any

from flask import Response

from app import clock
from app.api.answers import ANSWER, ROWS_OR_PAGE
from app.api.asking import (
    lay_ranked,
    lay_rows,
    read_choice,
    read_flag,
    read_ranking,
    read_scope,
    tell_sample,
)
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.filters import read_filters
from app.api.flows import lay_flow
from app.api.insight_schemas import FunnelSchema, PathsSchema, PlacesSchema
from app.api.parameters import decode_list, is_unset, parse_duration, text_of
from app.api.people import RANKING
from app.api.questions import Asked, nearest, single, whole
from app.api.schemas import GRAMMAR
from app.api.service import reader
from app.catalog import names
from app.catalog.fields import FIELDS, find
from app.errors import BadRequest, UnknownName
from app.sessionql.plan import Compare
from app.sessions.funnels import MAX_STEPS, Funnel
from app.store.insight_seam import FlowQuestion, FunnelAnswer, FunnelQuestion

blp = Blueprint("journeys", __name__, url_prefix="/api/v1", description="Journeys.")

Row = dict[str, Any]

FLOW_WORDS = frozenset({"after", "before", "depth", "top", "limit", "sample", "format"})
FLOW_LAYOUTS = ("page", "nodes", "edges", "matrix", "flow")
FUNNEL_WORDS = frozenset(
    {
        "step", "steps", "strict", "within", "by", "groups", "dropped", "limit", "sample",
        "format",
    }
)  # fmt: skip
PLACES = (
    "views", "sessions", "users", "entries", "exits", "bounces", "dwell", "dwell_avg",
    "lcp_avg",
)  # fmt: skip
_EVENTS = frozenset({"view", "action", "error"})
_TOP, _GROUPS, _LIMIT, _EDGES = 20, 10, 50, 500


@blp.route("/pages", methods=["GET", "POST"])
@blp.arguments(PlacesSchema, location="query")
@blp.doc(
    description=(
        "Pages of the sessions that began in the range: views, sessions, entries, exits, "
        f"bounces, dwell. A filter on `page` chooses pages. {GRAMMAR}"
    )
)
@blp.response(200, ROWS_OR_PAGE)
def list_pages(asked: Asked) -> Response:
    """Rank pages."""
    layout = read_choice(asked, "format", ("page", "rows"))
    scope = read_scope(asked, clock.now(), RANKING | {"sample"})
    ranking = read_ranking(asked, scope, "-views", PLACES)
    return lay_ranked(reader().places(ranking), ranking, layout)


@blp.route("/paths", methods=["GET", "POST"])
@blp.arguments(PathsSchema, location="query")
@blp.doc(
    description=(
        "Transitions between pages, with the places `(entry)`, `(exit)` and `(other)`; "
        f"from a page on, up to a page, or step by step. {GRAMMAR}"
    )
)
@blp.response(200, ANSWER)
def show_paths(asked: Asked) -> Response:
    """Count transitions between pages."""
    layout = read_choice(asked, "format", FLOW_LAYOUTS)
    scope = read_scope(asked, clock.now(), FLOW_WORDS)
    after, before = single(asked, "after"), single(asked, "before")
    if after and before:
        raise BadRequest("give 'after' or 'before', not both; a funnel knows both ends")
    question = FlowQuestion(
        scope.window,
        scope.selector,
        after,
        before,
        whole(asked, "depth", 0),
        whole(asked, "top", _TOP),
        whole(asked, "sample", 0),
        is_brief=layout == "matrix",
    )
    found = reader().flow(question)
    laid, told = lay_flow(found, layout, whole(asked, "limit", _EDGES))
    notices = tell_sample(reader(), question, found.sample) + told
    if isinstance(laid, list):
        return lay_rows(laid, notices)
    return answer(laid | {"notices": notices})


# -- funnels -----------------------------------------------------------------------


@blp.route("/funnel", methods=["GET", "POST"])
@blp.arguments(FunnelSchema, location="query")
@blp.doc(
    description=(
        "Sessions that made the first step, the first two, and so on; one event makes "
        f"one step. {GRAMMAR}"
    )
)
@blp.response(200, ANSWER)
def show_funnel(asked: Asked) -> Response:
    """Count sessions step by step."""
    layout = read_choice(asked, "format", ("page", "rows", "sessions"))
    question = read_funnel(asked, clock.now(), lists=layout == "sessions")
    found = reader().funnel(question)
    notices = tell_sample(reader(), question, found.sample)
    notices += tell_dropped(question, found)
    if layout == "sessions":
        return lay_rows(found.dropped, notices)
    rows = funnel_rows(question, found, list_steps(asked))
    if layout == "rows":
        return lay_rows(rows, notices)
    return answer({"steps": rows, "dropped": found.dropped, "notices": notices})


def read_funnel(asked: Asked, at: int, *, lists: bool) -> FunnelQuestion:
    """Read a question for a funnel.

    Raises:
        BadRequest: says what cannot be meant.
    """
    scope = read_scope(asked, at, FUNNEL_WORDS)
    steps = tuple(read_step(text, at) for text in list_steps(asked))
    if not 2 <= len(steps) <= MAX_STEPS:  # noqa: PLR2004 - or it is no funnel
        raise BadRequest(
            f"a funnel has 2 to {MAX_STEPS} steps, not {len(steps)}: repeat 'step'"
        )
    within = single(asked, "within")
    longest = parse_duration(within) if within else 0
    if longest is None or longest < 0:
        raise BadRequest(f"cannot read {within[:60]!r}: give within=30m, 1h, or ms")
    by = single(asked, "by")
    if by and names.dimension(by).scope not in {"session", "attribute"}:
        raise BadRequest(f"a funnel is told apart by fields of sessions, not {by!r}")
    dropped = whole(asked, "dropped", 1 if lists else 0)
    if dropped >= len(steps):
        raise BadRequest(f"there is no step after step {dropped} to drop off before")
    return FunnelQuestion(
        scope.window, steps, scope.selector, read_flag(asked, "strict"), longest, by,
        dropped, whole(asked, "limit", _LIMIT), whole(asked, "groups", _GROUPS),
        whole(asked, "sample", 0),
    )  # fmt: skip


def list_steps(asked: Asked) -> list[str]:
    """List the texts of all steps: of ``step``, which is repeated, and of ``steps``."""
    texts = [text_of(each).strip() for each in asked.get("step", ())]
    for each in asked.get("steps", ()):
        texts += decode_list(text_of(each)) or ()
    return [text for text in texts if not is_unset(text)]


def read_step(text: str, at: int) -> Compare:
    """Read a step: ``/cart``, ``page=/cart``, ``action=~pay.*`` ...

    Raises:
        BadRequest: it is none.
    """
    name, sign, value = text.strip().partition("=")
    if not sign or name.startswith(("/", "~")):
        name, value = "page", text
    field = find(name)
    if field is None or field.scope not in _EVENTS or field.type != "string":
        known = frozenset(key for key, each in FIELDS.items() if each.scope in _EVENTS)
        raise UnknownName(f"{name[:60]!r} makes no step{nearest(name, known)}")
    found = read_filters(field, [value], at)
    if len(found) != 1 or not isinstance(found[0], Compare):
        raise BadRequest(
            f"cannot read the step {text[:60]!r}: give page=/cart, or page=~/.+ for any"
        )
    return found[0]


def funnel_rows(
    question: FunnelQuestion, found: FunnelAnswer, labels: Sequence[str]
) -> list[Row]:
    """Lay out a row a step; of a funnel that is told apart, by label and step."""
    rows = []
    for label, funnel in found.groups:
        of = {question.by: label} if question.by else {}
        rows += [
            {**of, **_step_row(funnel, index, labels[index])}
            for index in range(len(question.steps))
        ]
    return rows


def tell_dropped(question: FunnelQuestion, found: FunnelAnswer) -> list[str]:
    """Say how many sessions dropped off there when not all of them are listed."""
    at, shown = question.dropped, len(found.dropped)
    if not at:
        return []
    count = sum(each.reached[at - 1] - each.reached[at] for _, each in found.groups)
    return [f"showing {shown} of {count:.0f} that dropped off"] if shown < count else []


def _step_row(funnel: Funnel, index: int, label: str) -> Row:
    reached = funnel.reached
    here, first = reached[index], reached[0]
    before = reached[index - 1] if index else here
    after = reached[index + 1] if index + 1 < len(reached) else here
    return {
        "step": index + 1,
        "name": label,
        "sessions": here,
        "share": here / first if first else None,
        "from_previous": here / before if before else None,
        "dropped": here - after,
        "took_avg": round(funnel.took[index] / here) if index and here else None,
    }
