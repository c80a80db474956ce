"""Parse the part of LogQL that the stand-in knows.

Known: stream matchers; line filters; ``logfmt``, ``json``, ``keep``, ``drop``,
``line_format`` with plain ``{{.label}}`` fields; label filters on texts and numbers;
``count_over_time``, ``bytes_over_time``, ``rate``; ``sum``, ``count``, ``min``, ``max``,
``avg`` with ``by`` and ``without``. Other LogQL is refused by name.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.demo.standin.errors import Refused, syntax_error, unsupported
from app.demo.standin.lexer import Token, tokenize
from app.demo.standin.stages import (
    TEMPLATE,
    Both,
    Comparison,
    Json,
    Keep,
    LineFormat,
    Logfmt,
    NumberFilter,
    Stage,
    comparison,
    line_filter,
)
from app.demo.standin.times import parse_duration
from app.model import Labels

LINE_OPS = ("|=", "!=", "|~", "!~")
LABEL_OPS = ("=", "!=", "=~", "!~")
NUMBER_OPS = ("=", "==", "!=", ">", ">=", "<", "<=")
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
OTHER_STAGES = frozenset(
    ["pattern", "regexp", "unpack", "unwrap", "label_format", "decolorize", "distinct"]
)
OPERATORS = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "and",
        "or",
        "unless",
    ]
)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The lines of some streams, run through some stages."""

    matchers: tuple[Comparison, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """A number a series, of its lines in (t - range, t]."""

    function: str
    lines: LogQuery
    range_ns: int


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A number a group of series; ``names`` are kept, or with ``without`` left out."""

    function: str
    inner: "MetricQuery"
    names: tuple[str, ...]
    without: bool


MetricQuery = RangeQuery | Aggregation


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


class Parser:
    """Read tokens from left to right; every method consumes what it returns."""

    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)
        self.position = 0

    @property
    def token(self) -> Token:
        """Return the token at hand."""
        return self.tokens[self.position]

    def at(self, *kinds: str) -> bool:
        """Tell whether the token at hand is one of these kinds."""
        return self.token.kind in kinds

    def word(self, *words: str) -> bool:
        """Tell whether the token at hand is one of these words."""
        return self.token.kind == "IDENTIFIER" and self.token.text in words

    def take(self, kind: str, expecting: str = "") -> Token:
        """Return the token at hand, which must be of this kind."""
        token = self.token
        if token.kind != kind:
            what = f"unexpected {token.kind}, expecting {expecting or kind}"
            raise syntax_error(what, token.column) if expecting else token.unexpected
        self.position += 1
        return token

    def skip(self, *kinds: str) -> bool:
        """Pass a token of one of these kinds, or words, when it is at hand."""
        if self.at(*kinds) or self.word(*kinds):
            self.position += 1
            return True
        return False

    def finish(self) -> None:
        """Check that nothing is left."""
        token = self.token
        if token.kind in OPERATORS or self.word("and", "or", "unless"):
            raise unsupported(f"operator '{token.text}'")
        if token.kind != "$end":
            raise token.unexpected

    # -- streams and lines -------------------------------------------------

    def log_query(self) -> LogQuery:
        """Read ``{...} stages``; something must be selected."""
        matchers = self.selector()
        return LogQuery(matchers, self.stages())

    def selector(self) -> tuple[Comparison, ...]:
        """Read ``{...}`` and check that it selects something."""
        matchers = self.matchers()
        if all(matcher.accepts("") for matcher in matchers):
            raise Refused(_matches_everything(matchers))
        return matchers

    def matchers(self) -> tuple[Comparison, ...]:
        """Read ``{name="value", ...}``."""
        self.take("{")
        found: list[Comparison] = []
        while not self.skip("}"):
            if found:
                self.take(",", expecting="} or ,")
            found.append(self.matcher())
        return tuple(found)

    def matcher(self) -> Comparison:
        """Read ``name="value"``."""
        name = self.take("IDENTIFIER").text
        if not self.at(*LABEL_OPS):
            raise self.token.unexpected
        op = self.take(self.token.kind).text
        return comparison(name, op, self.take("STRING").text)

    def stages(self) -> tuple[Stage, ...]:
        """Read line filters and ``| stage`` until something else comes."""
        found: list[Stage] = []
        while self.at("|", *LINE_OPS, "|>", "!>"):
            if self.at("|>", "!>"):
                raise unsupported(f"line filter '{self.token.text}'")
            found.append(self.stage() if self.skip("|") else self.line_filter())
        return tuple(found)

    def line_filter(self) -> Stage:
        """Read ``|= "text" or "text"``."""
        op = self.take(self.token.kind).text
        if self.at("IDENTIFIER"):
            raise unsupported(f"line filter function '{self.token.text}'")
        texts = [self.take("STRING").text]
        while self.skip("or"):
            texts.append(self.take("STRING").text)
        return line_filter(op, tuple(texts))

    def stage(self) -> Stage:
        """Read what follows a ``|``."""
        if self.at("("):
            return self.label_filter()
        readers: dict[str, Callable[[], Stage]] = {
            "logfmt": self.logfmt,
            "json": self.json,
            "keep": lambda: Keep(self.names(), drop=False),
            "drop": lambda: Keep(self.names(), drop=True),
            "line_format": self.line_format,
        }
        name = self.take("IDENTIFIER").text
        if name in OTHER_STAGES:
            raise unsupported(f"stage '| {name}'")
        if name not in readers:
            self.position -= 1
            return self.label_filter()
        return readers[name]()

    def logfmt(self) -> Stage:
        """Read ``logfmt [--keep-empty] [name, name="source"]``."""
        keep_empty = False
        while self.at("FLAG"):
            flag = self.take("FLAG").text
            if flag not in ("--keep-empty", "--strict"):
                raise unsupported(f"flag '{flag}'")
            if flag == "--strict":
                raise unsupported("flag '--strict'")
            keep_empty = True
        return Logfmt(self.wanted(), keep_empty)

    def json(self) -> Stage:
        """Read ``json [name, name="path"]``."""
        wanted = self.wanted()
        for path in wanted.values():
            if "[" in path:
                raise unsupported(f"json path '{path}'")
        return Json(wanted)

    def wanted(self) -> Labels:
        """Read ``name, name="source"`` as new name → source."""
        found: Labels = {}
        while self.at("IDENTIFIER"):
            name = self.take("IDENTIFIER").text
            found[name] = self.take("STRING").text if self.skip("=") else name
            if not self.skip(","):
                break
        return found

    def names(self) -> frozenset[str]:
        """Read ``name, name``."""
        found = {self.take("IDENTIFIER").text}
        while self.skip(","):
            found.add(self.take("IDENTIFIER").text)
        if self.at(*LABEL_OPS):
            raise unsupported("'keep' or 'drop' with a value")
        return frozenset(found)

    def line_format(self) -> Stage:
        """Read ``line_format "template"``."""
        template = self.take("STRING").text
        if "{{" in TEMPLATE.sub("", template):
            raise unsupported(f"template '{template}'")
        return LineFormat(template)

    def label_filter(self) -> Stage:
        """Read ``a="x" or b>1 and c!="y"``; ``and``, a comma, a space bind tighter."""
        found = self.label_filters_all()
        while self.skip("or"):
            found = Both(found, self.label_filters_all(), either=True)
        return found

    def label_filters_all(self) -> Stage:
        """Read label filters that must all pass."""
        found = self.label_filter_one()
        while self.skip(",", "and") or self.at("IDENTIFIER", "("):
            if self.word("or"):
                break
            found = Both(found, self.label_filter_one(), either=False)
        return found

    def label_filter_one(self) -> Stage:
        """Read one label filter, or several in parentheses."""
        if self.skip("("):
            found = self.label_filter()
            self.take(")")
            return found
        name = self.take("IDENTIFIER").text
        if not self.at(*LABEL_OPS, *NUMBER_OPS):
            raise self.token.unexpected
        op = self.take(self.token.kind).text
        if self.at("NUMBER") and op in NUMBER_OPS:
            return NumberFilter(name, op, self.number())
        if op not in LABEL_OPS:
            raise self.token.unexpected
        return comparison(name, op, self.take("STRING").text)

    def number(self) -> float:
        """Read a plain number; durations and sizes are not known."""
        text = self.take("NUMBER").text
        try:
            return float(text)
        except ValueError:
            raise unsupported(f"quantity '{text}'") from None

    # -- numbers -----------------------------------------------------------

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


def _matches_everything(matchers: tuple[Comparison, ...]) -> str:
    text = (
        "parse error : queries require at least one regexp or equality matcher that"
        " does not have an empty-compatible value."
    )
    if not matchers:
        return text
    first = matchers[0]
    shown = f'{first.name}{first.op}"{first.value}"'
    hint = f'{first.name}=~".+"'
    return (
        f"{text} For instance, {shown} does not meet this requirement, but {hint} will"
    )
