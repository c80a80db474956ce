"""Answer figures of a range beside those of the range before it.

Two points a figure are what Grafana's stat panel needs to show a change.
"""

from collections.abc import Sequence
from dataclasses import replace

from flask import Response

from app import clock
from app.api.answers import ROWS
from app.api.blueprint import Blueprint
from app.api.encoding import answer
from app.api.frames import Row, to_rows
from app.api.queries import QUERY_WORDS
from app.api.questions import Asked, Question, ask, note_cuts, read_question
from app.api.schemas import GRAMMAR, QuerySchema
from app.api.service import reader, settings
from app.catalog.metrics import Metric
from app.sessionql.evaluate import Frame, Series
from app.sessionql.plan import Window

blp = Blueprint("changes", __name__, url_prefix="/api/v1", description="Changes.")


@blp.route("/changes", methods=["GET", "POST"])
@blp.arguments(QuerySchema, location="query")
@blp.doc(
    description=(
        "Two rows a label set, one column a metric: the range before, and the range; "
        f"`time` is where each begins. {GRAMMAR}"
    )
)
@blp.response(200, ROWS)
def changes(asked: Asked) -> Response:
    """Answer metrics over the range, and over the one before it."""
    question = read_question(
        asked, clock.now(), QUERY_WORDS, has_steps=False, settings=settings()
    )
    asked_of = [replace(question, window=earlier(question.window)), question]
    found = [ask(each, reader(), settings()) for each in asked_of]
    frames = [frame for each in found for frame in each]
    return note_cuts(answer(change_rows(asked_of, found)), frames)


def earlier(window: Window) -> Window:
    """Return the window of the same length that ends where *window* begins."""
    start = max(0, 2 * window.start - window.end)
    return replace(window, start=start, end=max(window.start, start + 1))


def join_frames(before: Frame, now: Frame, *, zero: bool) -> Frame:
    """Join the figures of two windows to series of two points.

    Args:
        before: of the earlier window.
        now: of the later one.
        zero: a figure that only one of them has is 0 in the other, and not missing.
    """
    past = {each.labels: each.values[0] for each in before.series}
    here = {each.labels: each.values[0] for each in now.series}
    missing = 0.0 if zero else None
    series = [
        Series(labels, [past.get(labels, missing), here.get(labels, missing)])
        for labels in dict.fromkeys((*here, *past))
    ]
    times = [before.times[0], now.times[0]]
    return Frame(now.by, times, series, [*before.notices, *now.notices])


def change_rows(
    questions: Sequence[Question], frames: Sequence[Sequence[Frame]]
) -> list[Row]:
    """Lay out a row a window and label set; every label set is in both windows."""
    by, metrics = questions[0].by, questions[0].metrics
    tables = [
        {_labels(row, by): row for row in to_rows(metrics, each)} for each in frames
    ]
    known = dict.fromkeys(labels for table in reversed(tables) for labels in table)
    return [
        {
            "time": question.window.start,
            **table.get(labels, _blank(labels, by, metrics)),
        }
        for question, table in zip(questions, tables, strict=True)
        for labels in known
    ]


def _labels(row: Row, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[name] for name in by)


def _blank(labels: Sequence[str], by: Sequence[str], metrics: Sequence[Metric]) -> Row:
    figures = {each.name: 0 if each.counts else None for each in metrics}
    return {**dict(zip(by, labels, strict=True)), **figures}
