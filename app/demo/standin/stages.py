"""Run the stages of a LogQL pipeline over one line at a time.

Regular expressions are Python's ``re``, not Go's RE2: ``(?i)``, classes, groups and
repeats agree; backreferences and lookaround work here and are refused by a real Loki.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from app.demo.standin.errors import Refused
from app.model import Labels

ERROR = "__error__"
LOGFMT_PAIR = re.compile(r'([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*)))?')
UNWANTED = re.compile(r"[^a-zA-Z0-9_]")
TEMPLATE = re.compile(r"\{\{\s*\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}")


@dataclass(slots=True)
class Row:
    """A line on its way through a pipeline, with its labels by where they come from."""

    line: str
    stream: Labels
    metadata: Labels
    parsed: Labels = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return a label's value, empty when there is none."""
        for labels in (self.parsed, self.metadata, self.stream):
            if name in labels:
                return labels[name]
        return ""

    def extract(self, name: str, value: str) -> None:
        """Add a label found in the line; a taken name gets Loki's suffix."""
        name = sanitize(name)
        if not name or not value:
            return
        if name in self.stream or name in self.metadata:
            name += "_extracted"
        self.parsed[name] = value

    def merged(self) -> Labels:
        """Return all labels as one set."""
        return {**self.stream, **self.metadata, **self.parsed}


Stage = Callable[[Row], bool]


def compile_regex(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Compile a pattern.

    Raises:
        Refused: when it is none.
    """
    try:
        return re.compile(pattern, flags)
    except re.error as err:
        raise Refused(
            f"parse error : error parsing regexp: {err}: `{pattern}`"
        ) from err


@dataclass(frozen=True, slots=True)
class Comparison:
    """A name, an operator and a text: a stream matcher, or a label filter."""

    name: str
    op: str  # = != =~ !~
    value: str
    pattern: re.Pattern[str] | None = None

    def __call__(self, row: Row) -> bool:
        """Tell whether a row passes."""
        return self.accepts(row.get(self.name))

    def accepts(self, value: str) -> bool:
        """Tell whether a value passes; a pattern must match all of it."""
        if self.pattern is None:
            return (value == self.value) == (self.op == "=")
        return (self.pattern.fullmatch(value) is not None) == (self.op == "=~")


def comparison(name: str, op: str, value: str) -> Comparison:
    """Build a comparison, its pattern compiled."""
    pattern = compile_regex(value, re.DOTALL) if op.endswith("~") else None
    return Comparison(name, op, value, pattern)


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """A label filter that compares with a number."""

    name: str
    op: str
    value: float

    def __call__(self, row: Row) -> bool:
        """Tell whether a row passes; what is no number passes with an error label."""
        text = row.get(self.name)
        if not text:
            return False
        try:
            return _compare(float(text), self.op, self.value)
        except ValueError:
            row.parsed[ERROR] = "LabelFilterErr"
            return True


def _compare(left: float, op: str, right: float) -> bool:
    return {
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
        "=": left == right,
        "==": left == right,
        "!=": left != right,
    }[op]


@dataclass(frozen=True, slots=True)
class Both:
    """Two label filters joined by ``and``, a comma or a space, or by ``or``."""

    left: Stage
    right: Stage
    either: bool

    def __call__(self, row: Row) -> bool:
        """Tell whether a row passes."""
        if self.either:
            return self.left(row) or self.right(row)
        return self.left(row) and self.right(row)


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A line filter: the line holds one of the texts, or matches one of the patterns."""

    op: str  # |= != |~ !~
    texts: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...] = ()

    def __call__(self, row: Row) -> bool:
        """Tell whether a row passes."""
        if self.patterns:
            found = any(pattern.search(row.line) for pattern in self.patterns)
        else:
            found = any(text in row.line for text in self.texts)
        return found == (self.op[0] == "|")


def line_filter(op: str, texts: tuple[str, ...]) -> LineFilter:
    """Build a line filter, its patterns compiled."""
    patterns = tuple(map(compile_regex, texts)) if op.endswith("~") else ()
    return LineFilter(op, texts, patterns)


@dataclass(frozen=True, slots=True)
class Logfmt:
    """Read ``name=value`` pairs, all or the wanted ones (new name → name in the line)."""

    wanted: Labels
    keep_empty: bool = False

    def __call__(self, row: Row) -> bool:
        """Add the pairs to the row's labels."""
        pairs = dict(logfmt_pairs(row.line))
        if self.wanted:
            for name, source in self.wanted.items():
                row.extract(name, pairs.get(source, ""))
            return True
        for name, value in pairs.items():
            row.extract(name, value)
            if self.keep_empty and not value:
                row.parsed[sanitize(name)] = ""
        return True


def logfmt_pairs(line: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a logfmt line; a bare name has an empty value."""
    for name, quoted, plain in LOGFMT_PAIR.findall(line):
        yield name, _unescape(quoted) if "\\" in quoted else quoted or plain


def _unescape(quoted: str) -> str:
    try:
        return str(json.loads(f'"{quoted}"'))
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Json:
    """Read a JSON object, all of it flattened with ``_``, or the wanted paths."""

    wanted: Labels

    def __call__(self, row: Row) -> bool:
        """Add the fields to the row's labels; a broken line gets an error label."""
        try:
            found = json.loads(row.line, parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            row.parsed[ERROR] = "JSONParserErr"
            return True
        fields = dict(_flat("", found))
        if self.wanted:
            fields = {
                name: fields.get(sanitize(path.replace(".", "_")), "")
                for name, path in self.wanted.items()
            }
        for name, value in fields.items():
            row.extract(name, value)
        return True


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a JSON value; lists and nulls are left out, as in Loki."""
    if isinstance(value, dict):
        for name, inner in value.items():
            path = f"{prefix}_{sanitize(name)}" if prefix else sanitize(name)
            yield from _flat(path, inner)
    elif isinstance(value, bool):
        yield prefix, "true" if value else "false"
    elif isinstance(value, str):
        yield prefix, value


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep only, or drop, some labels."""

    names: frozenset[str]
    drop: bool

    def __call__(self, row: Row) -> bool:
        """Replace the row's labels."""
        row.stream = self._kept(row.stream)
        row.metadata = self._kept(row.metadata)
        row.parsed = self._kept(row.parsed)
        return True

    def _kept(self, labels: Labels) -> Labels:
        return {
            name: value
            for name, value in labels.items()
            if (name in self.names) != self.drop
        }


@dataclass(frozen=True, slots=True)
class LineFormat:
    """Write the line anew from a template of ``{{.label}}`` fields."""

    template: str

    def __call__(self, row: Row) -> bool:
        """Replace the row's line."""
        row.line = TEMPLATE.sub(lambda found: row.get(found[1]), self.template)
        return True


@lru_cache(maxsize=4096)
def sanitize(name: str) -> str:
    """Make a label name of any text, one ``_`` for each character that may not be."""
    name = UNWANTED.sub("_", name.strip())
    return f"_{name}" if name[:1].isdigit() else name
