"""Narrow a LogQL query by one condition, so that it and its opposite share nothing."""

import re
from typing import NamedTuple

from app.errors import SourceRefused

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`', re.DOTALL)
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")  # in RE2


class Query(NamedTuple):
    """A log query, taken apart where conditions are put in."""

    matchers: str  # between the braces
    stages: str  # after them

    def __str__(self) -> str:
        return f"{{{self.matchers}}}{self.stages}"


class Halves(NamedTuple):
    """Two queries that divide one: no entry is in both, none is in neither."""

    having: Query
    lacking: Query
    label: str = ""  # the stream label that divides, if one does


def parse_selector(text: str) -> Query:
    """Take *text* apart at the closing brace of its stream selector.

    Raises:
        SourceRefused: there is none.
    """
    text = text.strip()
    bare = _STRING.sub(lambda found: "_" * len(found[0]), text)
    close = bare.find("}")
    if not text.startswith("{") or close < 0:
        raise SourceRefused(
            f"the selector {text!r} is no LogQL selector like {{a=~'.+'}}"
        )
    return Query(text[1:close].strip().rstrip(","), text[close + 1 :].rstrip())


def by_label(query: Query, name: str, values: list[str]) -> Halves:
    """Divide by a stream label: one of *values*, or another one, or none.

    An absent label counts as the empty value, as Loki has it.
    """
    if len(values) == 1:
        text, ops = quote(values[0]), ("=", "!=")
    else:
        pattern = "|".join(_SPECIAL.sub(r"\\\g<0>", value) for value in values)
        text, ops = quote(pattern), ("=~", "!~")
    having, lacking = (
        query._replace(matchers=f"{query.matchers}, {name}{op}{text}".lstrip(", "))
        for op in ops
    )
    return Halves(having, lacking, name)


def by_text(query: Query, text: str) -> Halves:
    """Divide by whether the line contains *text*, which is not empty."""
    return _by_stage(query, f"|= {quote(text)}", f"!= {quote(text)}")


def by_metadata(query: Query, name: str, value: str) -> Halves:
    """Divide by an entry's structured metadata; *value* is not empty."""
    text = quote(value)
    return _by_stage(query, f"| {name}={text}", f"| {name}!={text}")


def _by_stage(query: Query, having: str, lacking: str) -> Halves:
    stages = f"{query.stages} " if query.stages else " "
    return Halves(
        query._replace(stages=stages + having), query._replace(stages=stages + lacking)
    )


def quote(text: str) -> str:
    """Write *text* as a Go string, in ASCII only."""
    return f'"{"".join(map(_escape, text))}"'


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if " " <= char <= "~":
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
