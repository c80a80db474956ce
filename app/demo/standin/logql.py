"""Parse the part of LogQL that the stand-in knows.

Known: stream matchers; line filters; ``logfmt``, ``json``, ``keep``, ``drop``,
``line_format`` with plain ``{{.label}}`` fields; label filters on texts and numbers;
``count_over_time``, ``bytes_over_time``, ``rate``; ``sum``, ``count``, ``min``, ``max``,
``avg`` with ``by`` and ``without``. Other LogQL is refused by name.
"""

from app.demo.standin.errors import syntax_error, unsupported
from app.demo.standin.lexer import OPERATORS
from app.demo.standin.pipelines import LineParser
from app.demo.standin.queries import Aggregation, LogQuery, MetricQuery, RangeQuery
from app.demo.standin.stages import Comparison
from app.demo.standin.times import parse_duration

RANGE_FUNCTIONS = ("count_over_time", "bytes_over_time", "rate")
AGGREGATIONS = ("sum", "count", "min", "max", "avg")
OTHER_FUNCTIONS = frozenset(
    [
        "bytes_rate",
        "sum_over_time",
        "avg_over_time",
        "max_over_time",
        "min_over_time",
        "stdvar_over_time",
        "stddev_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
        "absent_over_time",
        "rate_counter",
        "topk",
        "bottomk",
        "approx_topk",
        "stddev",
        "stdvar",
        "sort",
        "sort_desc",
        "label_replace",
        "vector",
        "variants",
    ]
)


def parse_query(text: str) -> LogQuery | MetricQuery:
    """Parse a log query or a metric query.

    Raises:
        Refused: in Loki's words for what is no LogQL, by name for what is not known.
    """
    parser = Parser(text)
    query: LogQuery | MetricQuery = (
        parser.log_query() if parser.at("{") else parser.metric_query()
    )
    parser.finish()
    return query


def parse_matchers(text: str) -> tuple[Comparison, ...]:
    """Parse a stream selector alone, as of ``match[]``; empty selects everything."""
    parser = Parser(text)
    matchers = parser.matchers()
    parser.finish()
    return matchers


class Parser(LineParser):
    """Read a whole query."""

    def metric_query(self) -> MetricQuery:
        """Read an aggregation, a function over a range, or either in parentheses."""
        if self.skip("("):
            inner = self.metric_query()
            self.take(")")
            return inner
        name = self.token
        if self.at("{"):
            self.log_query()
            raise self.token.unexpected
        if self.word(*RANGE_FUNCTIONS):
            return self.range_query()
        if self.word(*AGGREGATIONS):
            return self.aggregation()
        if self.word(*OTHER_FUNCTIONS):
            raise unsupported(f"function '{name.text}'")
        if self.at("NUMBER"):
            raise unsupported("numbers as queries")
        raise name.unexpected

    def range_query(self) -> RangeQuery:
        """Read ``count_over_time({...} stages [1m])``."""
        function = self.take("IDENTIFIER").text
        self.take("(")
        matchers = self.selector()
        stages = self.stages()
        range_ns = self.range()
        stages += self.stages()
        if self.word("offset"):
            raise unsupported("'offset'")
        self.take(")")
        if self.word("by", "without"):
            raise unsupported(f"'{self.token.text}' on '{function}'")
        return RangeQuery(function, LogQuery(matchers, stages), range_ns)

    def range(self) -> int:
        """Read ``[1m]`` as ns."""
        token = self.take("RANGE")
        range_ns = parse_duration(token.text[1:-1].strip())
        if not range_ns:
            text = token.text[1:-1]
            raise syntax_error(
                f'not a valid duration string: "{text}"', token.column, line=0
            )
        return range_ns

    def aggregation(self) -> Aggregation:
        """Read ``sum by (a) (...)`` or ``sum (...) by (a)``."""
        function = self.take("IDENTIFIER").text
        grouped = self.word("by", "without")
        names, without = self.grouping()
        self.take("(")
        inner = self.metric_query()
        if self.token.kind in OPERATORS:
            raise unsupported(f"operator '{self.token.text}'")
        self.take(")")
        if not grouped:
            names, without = self.grouping()
        return Aggregation(function, inner, names, without)

    def grouping(self) -> tuple[tuple[str, ...], bool]:
        """Read ``by (a, b)`` or ``without (a)``, or nothing."""
        if not self.word("by", "without"):
            return (), False
        without = self.take("IDENTIFIER").text == "without"
        self.take("(")
        names: list[str] = []
        while not self.skip(")"):
            if names:
                self.take(",")
            names.append(self.take("IDENTIFIER").text)
        return tuple(names), without
