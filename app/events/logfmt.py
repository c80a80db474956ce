r"""Read logfmt as go-logfmt writes it, and say no to what is not logfmt.

A line is ``key=value`` pairs between blanks. A value is quoted when it holds a blank,
``=``, ``"`` or a control character, and only inside quotes does a backslash escape:
``path=C:\\temp`` means what it says.
Where a C compiler was, ``_plain.c`` reads plain pairs, which nearly all are, in one walk;
what it says no to is read here.
Source: github.com/go-logfmt/logfmt 0.6, encode.go and jsonstring.go.
"""

import re
from collections.abc import Callable
from typing import Final

from app.events.native import native

Keys: Final[Callable[[tuple[str, ...]], object]] = (
    native.Keys if native is not None else frozenset
)
_scan: Final = native.scan if native is not None else None

_PAIR = re.compile(
    r"([^ =\"]+)"  # the key
    r"(?:=(?:\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|([^ \"][^ ]*)?))?"  # "quoted" or bare value
    r"(?: +|$)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SURROGATES = range(0xD800, 0xE000)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Malformed(ValueError):
    """The text is not logfmt; the reason never stops a run, it is counted."""


def parse(text: str, keys: object = None) -> dict[str, str]:
    """Read the pairs of *text*; of a key set twice the last value wins.

    Args:
        text: pairs between blanks.
        keys: ``Keys`` that are needed, and others may be left out; None: all are.

    Raises:
        Malformed: an unterminated quote, a quote inside a bare value's start,
            or no pair at all.
    """
    if _scan is not None:
        fields: dict[str, str] | None = _scan(text, keys)
        if fields is not None:
            return fields
    if "\\" not in text and "\0" not in text:
        try:
            return _parse_unescaped(text.strip(" "))
        except Malformed:
            pass  # look closer
    return _parse_any(text)


def _parse_any(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    at, end = len(text) - len(text.lstrip(" ")), len(text)
    while at < end:
        pair = _PAIR.match(text, at)
        if pair is None:
            raise Malformed(f"not logfmt at character {at}")
        key, quoted, bare = pair.groups()
        if quoted is None:
            fields[key] = bare or ""
        else:
            fields[key] = unescape(quoted) if "\\" in quoted else quoted
        at = pair.end()
    if not fields:
        raise Malformed("empty")
    return fields


def _parse_unescaped(text: str) -> dict[str, str]:
    """Take the quoted values out, read what is left, put them back.

    Raises:
        Malformed: something is quoted that is no whole value, or is not only pairs.
    """
    around, values = text.split('"')[::2], text.split('"')[1::2]
    bare = "\0".join(around)
    fields = parse_plain(bare)
    if values:
        if len(fields) <= bare.count(" "):
            raise Malformed("a key comes twice")
        each = iter(values)
        for key, value in fields.items():
            if value == "\0":
                fields[key] = next(each, "")
        if len(around) != len(values) + 1 or next(each, None) is not None:
            raise Malformed("a quote does not close")
    return fields


def parse_plain(text: str) -> dict[str, str]:
    """Read pairs that hold no quote: as ``parse`` does, several times as fast.

    Raises:
        Malformed: there is a key without a value, or not one blank between pairs.
    """
    try:
        fields = dict([pair.split("=", 1) for pair in text.split(" ")])
    except ValueError:
        raise Malformed("not only pairs") from None
    if "" in fields:
        raise Malformed("a value without a key")
    return fields


def unescape(quoted: str) -> str:
    """Undo the JSON-like escapes of a quoted value."""
    return _ESCAPE.sub(_unescape_one, quoted)


def _unescape_one(escape: re.Match[str]) -> str:
    code = escape[1]
    if len(code) == 5:  # noqa: PLR2004  # uXXXX
        number = int(code[1:], 16)
        return "\ufffd" if number in _SURROGATES else chr(number)
    return _ESCAPED.get(code, code)
