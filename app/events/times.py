"""Read the instants that log lines carry.

Where a C compiler was, ``_plain.c`` reads those that are in UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from app.events.native import native

_instant: Final = native.instant if native is not None else None
_MINUTES: Final[dict[str, int]] = {}  # "2026-11-20 09:15" → epoch ms; few at any time
_REMEMBERED: Final = 10_000
_DIGITS: Final = 5  # of seconds and milliseconds
_OTHER = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))? ?(Z|UTC|[+-]\d\d:?\d\d)?(?: .*)?\Z"
)


def parse_time(text: str) -> int:
    """Return UTC epoch ms of Go's ``Time.String()`` or of RFC 3339; 0 when neither.

    ``2026-11-20 09:16:21.5 +0000 UTC`` and ``2026-11-20T09:16:21.5Z`` are one instant:
    both forms leave trailing zeros out. Go's zero time (year 1) is 0 too.
    """
    if _instant is not None:
        at: int = _instant(text)
        if at >= 0:
            return at
    return _parse_utc(text)


def _parse_utc(text: str) -> int:
    if text.endswith(" +0000 UTC"):
        digits = text[17:19] + text[20:-10]  # of the minute: "21" + "5"
    elif text.endswith("Z"):
        digits = text[17:19] + text[20:-1]
    else:
        return _parse_other(text)
    begin = text[:17]
    minute = _MINUTES.get(begin) or _parse_minute(begin)
    if len(digits) != _DIGITS:
        digits = (digits + "000")[:_DIGITS]
    try:
        return minute + int(digits) if minute else 0
    except ValueError:
        return 0


def _parse_minute(text: str) -> int:
    """Return epoch ms of ``2026-11-20 09:16:`` or ``2026-11-20T09:16:``; 0 if it is not."""
    try:
        when = datetime.fromisoformat(text + "00").replace(tzinfo=UTC)
    except ValueError:
        return 0
    if len(text) != 17 or when.year < 1970:  # noqa: PLR2004
        return 0
    if len(_MINUTES) >= _REMEMBERED:
        _MINUTES.clear()
    ms = _MINUTES[text] = int(when.timestamp()) * 1000
    return ms


def _parse_other(text: str) -> int:
    match = _OTHER.match(text)
    if match is None:
        return 0
    day, clock, fraction, zone = match.groups()
    ms = parse_time(f"{day} {clock}.{fraction or 0} +0000 UTC")
    if not ms:
        return 0
    return ms - int(_offset(zone or "Z") / timedelta(milliseconds=1))


def _offset(zone: str) -> timedelta:
    if zone in {"Z", "UTC"}:
        return timedelta()
    digits = zone[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if zone[0] == "-" else size
