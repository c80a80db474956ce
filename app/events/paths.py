r"""Find values in a line by the paths and conditions that a mapping writes.

A path names a field, nested by dots: ``user.id``; ``@job`` is a label of the stream or
structured metadata; ``=shop`` is the text itself. ``a | b`` is the first that says
something. A condition compares what a path finds: ``status >= 500 and method = GET``,
``path !~ \.(css|js)$``, or asks whether there is anything: ``error``.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from app.events.lines import any_text, number, otlp_attributes, text
from app.model import Labels

MAX_PATH = 300  # characters
MAX_TERMS = 16  # of a condition
_MAX_TEXT = 1_000
_STEP = re.compile(r"[^\s|@=][^|]*\Z")
_TERM = re.compile(
    r"(?P<path>.+?)\s*(?P<op>!=|!~|>=|<=|=~|=|>|<)\s*(?P<value>.*)\Z", re.DOTALL
)
_AND = re.compile(r"\s+and\s+")
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line holds, and the labels around it."""

    fields: Mapping[str, Any]
    labels: Labels


class Path:
    """Where something stands."""

    def __init__(self, source: str) -> None:
        """Read a path.

        Raises:
            ValueError: it is none; says how to write one.
        """
        self.source = source.strip()
        if len(self.source) > MAX_PATH:
            raise ValueError(f"is longer than {MAX_PATH} characters; shorten it")
        self._ways = (
            [each.strip() for each in self.source.split("|")] if self.source else []
        )
        for way in self._ways:
            if way[:1] not in {"@", "="} and not _STEP.match(way):
                raise ValueError("is no path; write user.id, @label, =text or a | b")
            if way == "@":
                raise ValueError("names no label; write @job")

    def __bool__(self) -> bool:
        """Tell whether it leads anywhere."""
        return bool(self._ways)

    def find(self, line: Line) -> Any:
        """Return the first thing found, or None."""
        for way in self._ways:
            if way[0] == "=":
                return way[1:].strip()
            if way[0] == "@":
                found: Any = line.labels.get(way[1:])
            else:
                found = look_up(line.fields, way)
            if found not in (None, ""):
                return found
        return None

    def text(self, line: Line, limit: int = 200) -> str:
        """Return what is found, as text."""
        return any_text(self.find(line), limit)


def look_up(fields: Any, path: str) -> Any:
    """Return what stands at a dotted path; names may hold dots themselves.

    OTLP's lists of pairs are read as the objects that they stand for.
    """
    if isinstance(fields, list):
        fields = otlp_attributes(fields)
    if not isinstance(fields, Mapping):
        return None
    if path in fields:
        return fields[path]
    at = path.rfind(".")
    while at > 0:
        here = fields.get(path[:at])
        if here is not None:
            return look_up(here, path[at + 1 :])
        at = path.rfind(".", 0, at)
    return None


class Condition:
    """What must hold of a line; without terms it always does."""

    def __init__(self, source: str) -> None:
        """Read a condition.

        Raises:
            ValueError: it is none; says how to write one.
        """
        terms = [each for each in _AND.split(source.strip()) if each]
        if len(terms) > MAX_TERMS:
            raise ValueError(f"has over {MAX_TERMS} terms; write a shorter one")
        self._terms = [_term(each) for each in terms]

    def holds(self, line: Line) -> bool:
        """Tell whether it holds."""
        return all(_holds(path, op, value, line) for path, op, value in self._terms)


Term = tuple[Path, str, Any]
_QUIET = re2.Options()
_QUIET.log_errors = False


def _why(broken: re2.error) -> str:
    said = broken.args[0] if broken.args else ""
    return f"{said.decode() if isinstance(said, bytes) else said}; mend it"


def _term(source: str) -> Term:
    match = _TERM.match(source)
    if match is None:
        return Path(source), "", None
    path, op, value = Path(match["path"]), match["op"], match["value"].strip()
    value = value.strip("'\"")
    if op in {"=~", "!~"}:
        try:
            return path, op, re2.compile(value, _QUIET)
        except re2.error as broken:
            raise ValueError(f"has a bad pattern {value!r}: {_why(broken)}") from None
    if op in _ORDERS and number(value) is None:
        raise ValueError(f"compares with {value!r}, which is no number; write one")
    return path, op, number(value) if op in _ORDERS else value


def _holds(path: Path, op: str, value: Any, line: Line) -> bool:
    found = path.find(line)
    if not op:
        return found is not None
    if op in _ORDERS:
        said = number(found)
        if said is None:
            return False
        return _ORDERS[op](said, value)
    said_text = text(found, _MAX_TEXT)
    if op in {"=~", "!~"}:
        return bool(value.search(said_text)) is (op == "=~")
    return (said_text == value) is (op == "=")
