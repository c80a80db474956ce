"""Parse the part of LogQL that picks lines: matchers, filters, parsers, formats."""

from collections.abc import Callable

from app.demo.standin.errors import Refused, unsupported
from app.demo.standin.lexer import TokenReader
from app.demo.standin.queries import LogQuery
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
from app.model import Labels

LINE_OPS = ("|=", "!=", "|~", "!~")
LABEL_OPS = ("=", "!=", "=~", "!~")
NUMBER_OPS = ("=", "==", "!=", ">", ">=", "<", "<=")
OTHER_STAGES = frozenset(
    ["pattern", "regexp", "unpack", "unwrap", "label_format", "decolorize", "distinct"]
)


class LineParser(TokenReader):
    """Read what picks lines; every method consumes what it returns."""

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
