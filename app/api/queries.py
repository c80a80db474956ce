"""Answer figures as flat rows: the shape that Infinity tables, stats and alerts take."""

from flask import Response

from app import clock
from app.api.answers import FIGURES, LONG_ROWS
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.frames import to_long_rows, to_rows
from app.api.questions import (
    WORDS,
    Asked,
    ask,
    note_cuts,
    read_question,
    whole,
)
from app.api.schemas import GRAMMAR, QueryRangeSchema, QuerySchema
from app.api.service import reader, settings
from app.api.shown import ask_rows

blp = Blueprint("queries", __name__, url_prefix="/api/v1", description="Figures.")

QUERY_WORDS = WORDS | {"metric", "by", "limit"}
RANGE_WORDS = QUERY_WORDS | {"step", "max_points"}


@blp.route("/query", methods=["GET", "POST"])
@blp.arguments(QuerySchema, location="query")
@blp.doc(description=f"One row a label set, one column a metric. {GRAMMAR}")
@blp.response(200, FIGURES)
def query(asked: Asked) -> Response:
    """Answer metrics over the whole range."""
    question = read_question(
        asked, clock.now(), QUERY_WORDS, has_steps=False, settings=settings()
    )
    limit = min(whole(asked, "limit", settings().max_rows), settings().max_rows)
    frames = ask_rows(question, reader(), settings(), limit)
    rows = to_rows(question.metrics, frames)
    return note_cuts(answer(rows[:limit]), frames)


@blp.route("/query_range", methods=["GET", "POST"])
@blp.arguments(QueryRangeSchema, location="query")
@blp.doc(
    description=(
        "Long rows `{time, <labels>, Value}`, ascending by time, every bucket of the "
        "range in each series: 0 for counts and null for rates where nothing happened. "
        "Several metrics are told apart by a label `metric`. Buckets begin at multiples "
        f"of the step, so the first may begin before `from`. {GRAMMAR}"
    )
)
@blp.response(200, LONG_ROWS)
def query_range(asked: Asked) -> Response:
    """Answer metrics bucket by bucket."""
    question = read_question(
        asked, clock.now(), RANGE_WORDS, has_steps=True, settings=settings()
    )
    frames = ask(question, reader(), settings(), series=whole(asked, "limit", 0))
    return note_cuts(answer(to_long_rows(question.metrics, frames)), frames)
