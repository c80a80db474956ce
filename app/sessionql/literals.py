"""Read the literals of a query: strings, numbers, durations."""

import re

_UNITS = {
    "ms": 1.0,
    "s": 1_000.0,
    "m": 60_000.0,
    "h": 3_600_000.0,
    "d": 86_400_000.0,
    "w": 604_800_000.0,
    "y": 31_536_000_000.0,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_ESCAPE = re.compile(
    r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|.)", re.DOTALL
)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "/": "/",
    '"': '"',
    "'": "'",
}


def read_string(token: str) -> str:
    """Return what a quoted string says; backticks quote without escapes.

    Escapes are Go's and JSON's together, so a string copied from either means the same.

    Raises:
        ValueError: an escape that neither knows, or half a character.
    """
    if token[0] == "`":
        return token[1:-1]
    text = _ESCAPE.sub(_unescape, token[1:-1])
    try:  # JSON writes some characters as two escapes
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError("half a character: \\ud800 to \\udfff come in pairs") from None


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code in _SIMPLE:
        return _SIMPLE[code]
    if len(code) == 1:
        raise ValueError(f"no escape \\{code}; write \\\\{code}, or use `backticks`")
    number = int(code, 8) if code[0] in "0123" else int(code[1:], 16)
    if number > 0x10FFFF:  # noqa: PLR2004
        raise ValueError(f"no character \\{code}")
    return chr(number)


def read_duration(token: str) -> float:
    """Return ms of ``30s``, ``1h30m``, ``1.5d``."""
    parts: list[tuple[str, str]] = _PART.findall(token)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def write_duration(length: float) -> str:
    """Write ms as briefly as can be read back exactly."""
    left, text = int(length), ""
    if left != length or left <= 0:
        return f"{length:g}"
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, int(_UNITS[unit]))
        text += f"{count}{unit}" if count else ""
    return text


def write_number(value: float) -> str:
    """Write a figure as labels and texts show it: without a fraction where there is none."""
    if float(value).is_integer() and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    return repr(float(value))
