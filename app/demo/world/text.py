"""Write values as Go's logfmt and JSON encoders write them."""

import json
import re
import time
from collections.abc import Iterable
from decimal import Decimal
from json.encoder import encode_basestring

_NEEDS_QUOTES = re.compile('[\x00-\x20="\x7f\ufffd\ud800-\udfff]')
_ESCAPES = re.compile('[\x00-\x1f"\\\\\x7f\ufffd\ud800-\udfff]')
_BAD_KEY = re.compile('[\x00-\x20="\x7f\ufffd]')
_PAIR = re.compile(r'([^\s=]+)=(?:("(?:[^"\\]|\\.)*")|(\S*))')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_FRACTIONS = [f".{ms:03d}".rstrip("0").rstrip(".") for ms in range(1000)]
_SECONDS = [f"{s:02d}" for s in range(60)]
_CACHED_MINUTES = 4096
_INTEGERS_BELOW = 1e21
_EXPONENTS_BELOW = 1e-6


def _escape(found: re.Match[str]) -> str:
    rune = found[0]
    if rune in _SHORT:
        return _SHORT[rune]
    if rune == "\ufffd" or "\ud800" <= rune <= "\udfff":
        return "\\ufffd"
    return rune if rune == "\x7f" else f"\\u{ord(rune):04x}"


def quote(value: str) -> str:
    """Write *value* as a logfmt value, in quotes only where go-logfmt wants them."""
    if value == "null":
        return '"null"'
    if not _NEEDS_QUOTES.search(value):
        return value
    return f'"{_ESCAPES.sub(_escape, value)}"'


def clean_key(key: str) -> str:
    """Drop from *key* the runes that go-logfmt drops; may leave nothing."""
    return _BAD_KEY.sub("", key)


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Write *items* as logfmt in the order given; empty values are left out."""
    return " ".join(f"{clean_key(k)}={quote(v)}" for k, v in items if v)


def prefixed(prefix: str, items: dict[str, str]) -> str:
    """Write *items* as logfmt in byte order of their keys, each under *prefix*."""
    return pairs((prefix + key, items[key]) for key in sorted(items))


def go_float(value: float) -> str:
    """Write *value* in Go's ``%v``: shortest form, whole numbers without a point."""
    if value == int(value) and abs(value) < _INTEGERS_BELOW:
        return str(int(value))
    return repr(value)


class _Minutes(dict[int, tuple[str, str]]):
    """Minute since the epoch → its (date, hour and minute), as text."""

    def __missing__(self, minute: int) -> tuple[str, str]:
        if len(self) > _CACHED_MINUTES:
            self.clear()
        when = time.gmtime(minute * 60)
        text = time.strftime("%Y-%m-%d", when), time.strftime("%H:%M:", when)
        self[minute] = text
        return text


_minutes = _Minutes()


def go_time(ms: int) -> str:
    """Write epoch *ms* as Go's ``time.Time.String()`` does, fraction trimmed."""
    seconds, milli = divmod(ms, 1000)
    minute, second = divmod(seconds, 60)
    date, clock = _minutes[minute]
    return f"{date} {clock}{_SECONDS[second]}{_FRACTIONS[milli]} +0000 UTC"


def iso_time(ms: int) -> str:
    """Write epoch *ms* in Go's layout ``2006-01-02T15:04:05.999Z``."""
    seconds, milli = divmod(ms, 1000)
    minute, second = divmod(seconds, 60)
    date, clock = _minutes[minute]
    return f"{date}T{clock}{_SECONDS[second]}{_FRACTIONS[milli]}Z"


def unquote(text: str) -> str:
    """Read one quoted logfmt value back."""
    value: str = json.loads(text, strict=False)
    return value


def read_pairs(line: str) -> dict[str, str]:
    """Read a well-formed logfmt line back; a repeated key keeps its last value."""
    return {
        key: unquote(quoted) if quoted else bare
        for key, quoted, bare in _PAIR.findall(line)
    }


def json_float(told: str) -> str:
    """Write a number told in ``%v`` as ``json.Marshal`` does: exponents below 1e-6."""
    if "e-" not in told or float(told) < _EXPONENTS_BELOW:
        return told.replace("e-0", "e-")
    return f"{Decimal(told):f}"


def json_line(line: str) -> str:
    """Turn a logfmt line into what ``log_format = "json"`` writes for the same item.

    Keys are sorted, every value is a string but those of ``value_*``, and ``<>&``
    are escaped as Go's ``json.Marshal`` does.
    """
    found = read_pairs(line)
    cells = []
    for key in sorted(found):
        raw = found[key]
        cell = json_float(raw) if key.startswith("value_") else encode_basestring(raw)
        cells.append(f"{encode_basestring(key)}:{cell}")
    body = "{" + ",".join(cells) + "}"
    return (
        body.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
