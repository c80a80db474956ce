"""Read the instants that log lines carry."""

import re
from datetime import UTC, datetime, timedelta

_SECONDS: dict[str, int] = {}  # "2026-11-20 09:15:59" → epoch ms; few at any time
_REMEMBERED = 10_000
_OTHER = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))? ?(Z|UTC|[+-]\d\d:?\d\d)?(?: .*)?\Z"
)


def parse_time(text: str) -> int:
    """Return UTC epoch ms of Go's ``Time.String()`` or of RFC 3339; 0 when neither.

    ``2026-11-20 09:16:21.5 +0000 UTC`` and ``2026-11-20T09:16:21.5Z`` are one instant:
    both forms leave trailing zeros out. Go's zero time (year 1) is 0 too.
    """
    if text.endswith(" +0000 UTC"):
        second, fraction = text[:19], text[20:-10]
    elif text.endswith("Z"):
        second, fraction = text[:19], text[20:-1]
    else:
        return _parse_other(text)
    ms = _SECONDS.get(second)
    if ms is None:
        ms = _parse_second(second)
    if not fraction:
        return ms if len(text) in (20, 29) else 0
    if not fraction.isascii() or not fraction.isdigit() or text[19] != ".":
        return 0
    return ms + int((fraction + "00")[:3]) if ms else 0


def _parse_second(second: str) -> int:
    try:
        when = datetime.fromisoformat(second).replace(tzinfo=UTC)
    except ValueError:
        return 0
    if len(second) != 19 or when.year < 1970:  # noqa: PLR2004
        return 0
    if len(_SECONDS) >= _REMEMBERED:
        _SECONDS.clear()
    ms = _SECONDS[second] = int(when.timestamp()) * 1000
    return ms


def _parse_other(text: str) -> int:
    match = _OTHER.match(text)
    if match is None:
        return 0
    day, clock, fraction, zone = match.groups()
    ms = _parse_second(f"{day} {clock}")
    if not ms:
        return 0
    ms += int(((fraction or "") + "000")[:3])
    return ms - int(_offset(zone or "Z") / timedelta(milliseconds=1))


def _offset(zone: str) -> timedelta:
    if zone in {"Z", "UTC"}:
        return timedelta()
    digits = zone[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if zone[0] == "-" else size
