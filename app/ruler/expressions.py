"""What rules and SessionQL have to do with each other, in one place."""

import re

from app.errors import TooExpensive
from app.ruler.evaluate import Overlay
from app.ruler.model import Rule, Value
from app.sessionql.evaluate import instant
from app.sessionql.language import Query, parse
from app.sessionql.plan import Recorded, Window
from app.sessionql.problems import QueryError
from app.sessionql.recorded import Cells, cells_of
from app.store.seam import Reader

MAX_SERIES = 10_000  # of one rule
Labelled = tuple[tuple[str, ...], Cells]
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")


class Refused(ValueError):
    """An expression that cannot be used; says why, and where in its text."""

    def __init__(self, what: str, line: int = 1, column: int = 1) -> None:
        super().__init__(what)
        self.line = line
        self.column = column


def check(text: str) -> Query:
    """Read the expression of a rule.

    Raises:
        Refused: it is not understood, or does not come to figures.
    """
    try:
        query = parse(text)
    except QueryError as error:
        raise Refused(error.problem, error.line, error.column) from None
    if query.kind == "sessions":  # a list
        raise Refused(
            "selects sessions; a rule needs a figure: add | count_over_time()"
        )
    return query


class IndexEvaluator:
    """Answers from the index, with what the group came to before.

    Args:
        reader: the index.
        interval: ms that a figure looks back when its expression does not say.
    """

    def __init__(self, reader: Reader, interval: int) -> None:
        self._reader = reader
        self._interval = interval

    def ask(self, rule: Rule, at: int, overlay: Overlay) -> list[Value]:
        """Return what the rule's expression comes to at *at*.

        Raises:
            SkaldError: it cannot be answered.
        """

        def recorded(plan: Recorded, window: Window) -> Labelled:
            held = self._reader.recorded(plan, window, overlay.rules)
            fresh = overlay.matching(plan)
            new = [(labels, window.start, value) for labels, value in fresh]
            return cells_of(plan, [*held, *new])

        frame = instant(
            rule.query,
            at,
            self._reader,
            default_range_ms=self._interval,
            max_series=MAX_SERIES,
            recorded=recorded,
        )
        if frame.notices:
            raise TooExpensive(f"{frame.notices[0]}; a rule records all or nothing")
        names = [label_name(each) for each in frame.by]
        return [
            Value(dict(zip(names, series.labels, strict=True)), value)
            for series in frame.series
            if series.values and (value := series.values[-1]) is not None
        ]


def label_name(field: str) -> str:
    """Return a field's name as Prometheus takes it: ``session.plan`` → session_plan."""
    name = _NOT_IN_NAMES.sub("_", field)
    return f"_{name}" if name[:1].isdigit() else name
