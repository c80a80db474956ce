r"""Read logfmt as go-logfmt writes it, and say no to what is not logfmt.

A line is ``key=value`` pairs between blanks. A value is quoted when it holds a blank,
``=``, ``"`` or a control character, and only inside quotes does a backslash escape:
``path=C:\\temp`` means what it says.
Source: github.com/go-logfmt/logfmt 0.6, encode.go and jsonstring.go.
"""

import re

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


def parse(text: str) -> dict[str, str]:
    """Read all pairs of *text*; of a key set twice the last value wins.

    Raises:
        Malformed: an unterminated quote, a quote inside a bare value's start,
            or no pair at all.
    """
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
    fields = parse_plain("\0".join(around))
    if values:
        each = iter(values)
        for key, value in fields.items():
            if value == "\0":
                fields[key] = next(each, "")
        if len(around) != len(values) + 1 or next(each, None) is not None:
            raise Malformed("a quote does not close, or a key comes twice")
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
