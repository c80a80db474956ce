"""Show one session: whole, as a timeline, as a tree, as raw lines."""

from typing import Any

import msgspec
from flask import Response
from flask.blueprints import BlueprintSetupState

from app import clock
from app.api.answers import ANSWER, DETAIL, REFUSAL, ROWS_OR_PAGE
from app.api.asking import lay_rows, noted, read_choice
from app.api.blueprint import Blueprint
from app.api.details import PARTS, Detail
from app.api.encoding import answer
from app.api.insight_schemas import (
    DetailSchema,
    LogsSchema,
    TimelineSchema,
    TreeSchema,
)
from app.api.portraits import replay_of
from app.api.questions import Asked, listed, single, whole
from app.api.raw_lines import raw_page
from app.api.service import reader, settings
from app.api.timelines import event_row, log_row, page_of, read_kinds
from app.errors import NotFound
from app.model import Session
from app.sessions.tree import Node, Tree, draw_tree, grow_tree
from app.store.insight_seam import Whole

blp = Blueprint("session", __name__, url_prefix="/api/v1", description="One session.")

Row = dict[str, Any]

_PATH = "/sessions/<app>/<path:session_id>"
_PARTS = 8  # of a path that are tried as the name of an app
_LIMIT, _EVENTS, _NODES, _LINES = 200, 500, 500, 200


@blp.route(_PATH, methods=["GET", "POST"])
@blp.arguments(DetailSchema, location="query")
@blp.doc(
    description="Everything that is known of a session, or one `part` of it as flat rows."
)
@blp.response(200, DETAIL)
def show_session(asked: Asked, app: str, session_id: str) -> Response:
    """Show one session."""
    found = find_whole(app, session_id)
    session = found.session
    address = (session.key.app, session.key.source, session.key.id)
    row = dict(reader().listed(*address, clock.now()))
    row["replay"] = replay_of(session, settings().sources)
    limit = whole(asked, "limit", _LIMIT)
    detail = Detail(found, row, reader().neighbours(*address), limit)
    if not single(asked, "part"):
        return answer(detail.page())
    rows, cut = detail.part(read_choice(asked, "part", tuple(PARTS)))
    notices = [
        f"{name}: showing {each['shown']} of {each['of']}" for name, each in cut.items()
    ]
    return lay_rows(rows, notices + kept_of(session))


def find_whole(app: str, session_id: str) -> Whole:
    """Return one session.

    A path does not tell where an app with slashes in its name ends: the shortest app
    of which there is such a session is taken, and none at last.

    Raises:
        NotFound: there is none of that app and id.
    """
    parts = f"{app}/{session_id}".split("/")
    for length in (*range(1, min(len(parts), _PARTS)), 0):
        found = reader().whole("/".join(parts[:length]), "/".join(parts[length:]))
        if found is not None:
            return found
    if app:
        raise NotFound(f"no session {session_id[:80]!r} of the app {app[:80]!r}")
    raise NotFound(
        f"no session {session_id[:80]!r} without an app;"
        " /api/v1/sessions?from=0&id=... looks for one in every app"
    )


def kept_of(session: Session) -> list[str]:
    """Say when not all events of a session were kept."""
    if not session.is_cut:
        return []
    return [f"only the first {session.events} events of this session were kept"]


@blp.route(f"{_PATH}/timeline", methods=["GET", "POST"])
@blp.arguments(TimelineSchema, location="query")
@blp.doc(description="Its events in order, a page at a time.")
@blp.response(200, ROWS_OR_PAGE)
def show_timeline(asked: Asked, app: str, session_id: str) -> Response:
    """List the events of one session."""
    layout = read_choice(asked, "format", ("page", "rows", "logs"))
    order = read_choice(asked, "order", ("asc", "desc"))
    kinds = read_kinds(listed(asked, "kind"))
    found = find_whole(app, session_id)
    moments = [
        moment for moment in found.moments if not kinds or moment[1].kind in kinds
    ]
    page, cursor = page_of(
        moments,
        single(asked, "cursor"),
        whole(asked, "limit", _EVENTS),
        descending=order == "desc",
    )
    session, contexts = found.session, found.contexts
    rows = [
        log_row(moment, contexts)
        if layout == "logs"
        else event_row(moment, contexts, session.start)
        for moment in page
    ]
    notices = kept_of(session)
    if layout != "page":
        more = [f"showing {len(rows)} of {len(moments)} events"] if cursor else []
        return lay_rows(rows, more + notices)
    for row, (_, event) in zip(rows, page, strict=True):
        row["facts"] = event.facts or {}
    return _paged(rows, cursor, notices, total=len(moments))


def _paged(
    rows: list[Row], cursor: str | None, notices: list[str], **more: Any
) -> Response:
    found = {"items": rows, "next_cursor": cursor, "notices": notices, **more}
    return answer(found)


# -- as a tree ---------------------------------------------------------------------


@blp.route(f"{_PATH}/tree", methods=["GET", "POST"])
@blp.arguments(TreeSchema, location="query")
@blp.doc(
    description=(
        "Traces with their steps, and views with what they held, nested; with durations "
        "in ms and costs in USD."
    )
)
@blp.response(200, ANSWER)
def show_tree(asked: Asked, app: str, session_id: str) -> Response:
    """Nest what happened in one session."""
    layout = read_choice(asked, "format", ("json", "text", "rows", "trace"))
    found = find_whole(app, session_id)
    limit = whole(asked, "limit", _NODES)
    tree = grow_tree(found.session, found.moments, found.contexts, limit)
    notices = kept_of(found.session)
    if tree.cut:
        notices = [f"{tree.cut} more are not shown", *notices]
    if layout == "text":
        text = Response(draw_tree(tree), mimetype="text/plain")
        return noted(text, notices)
    if layout == "json":
        return answer(_nest(tree) | {"cut": tree.cut, "notices": notices})
    lay = _node_row if layout == "rows" else span_row(found.session.key.id)
    return lay_rows([lay(node) for node in tree.nodes], notices)


def _node_row(node: Node) -> Row:
    return msgspec.structs.asdict(node)


def span_row(trace: str) -> Any:
    """Return what lays a node out as a span of *trace*."""

    def lay(node: Node) -> Row:
        return {
            "traceID": trace,
            "spanID": node.id,
            "parentSpanID": node.parent,
            "operationName": node.name,
            "serviceName": node.service,
            "startTime": node.at,
            "duration": node.duration or 0,
        }

    return lay


def _nest(tree: Tree) -> Row:
    """Put each node into the one before it that is a level above."""
    path: list[Row] = []
    for node in tree.nodes:
        row = {**_node_row(node), "children": []}
        del path[node.depth :]
        if path:
            path[-1]["children"].append(row)
        path.append(row)
    return path[0]


# -- as it came --------------------------------------------------------------------


@blp.route(f"{_PATH}/logs", methods=["GET", "POST"])
@blp.arguments(LogsSchema, location="query")
@blp.doc(
    description=(
        "The raw lines that name the session, or a trace of it, from its Loki; in the "
        "order in which they came, a page at a time."
    )
)
@blp.response(200, ROWS_OR_PAGE)
@blp.alt_response(502, schema=REFUSAL, description="Loki refuses the question.")
@blp.alt_response(503, schema=REFUSAL, description="Loki does not answer.")
def show_lines(asked: Asked, app: str, session_id: str) -> Response:
    """Fetch the raw lines of one session."""
    layout = read_choice(asked, "format", ("page", "rows"))
    found = find_whole(app, session_id)
    limit = whole(asked, "limit", _LINES)
    rows, cursor, notices = raw_page(found, settings(), single(asked, "cursor"), limit)
    if layout == "page":
        return _paged(rows, cursor, notices)
    more = ["more lines follow: ask with format=page for a cursor"] if cursor else []
    return lay_rows(rows, more + notices)


# -- without an app ----------------------------------------------------------------


@blp.record
def _route_without_app(state: BlueprintSetupState) -> None:
    """Answer ``/sessions/<id>`` for sessions whose lines tell of no application."""
    views = {
        "": show_session,
        "/timeline": show_timeline,
        "/tree": show_tree,
        "/logs": show_lines,
    }
    for end, view in views.items():
        state.app.add_url_rule(
            f"/api/v1/sessions/<session_id>{end}",
            endpoint=f"{blp.name}.{view.__name__}",
            defaults={"app": ""},
            methods=["GET", "POST"],
        )
