"""Read and write times as Go and Loki spell them."""

import re
from datetime import UTC, datetime, timedelta

NS_PER_S = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_SECONDS = 10  # digits: a longer whole number is nanoseconds
UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
    "d": 86_400 * NS_PER_S,
    "w": 7 * 86_400 * NS_PER_S,
    "y": 365 * 86_400 * NS_PER_S,
}
DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|[smhdwy])")
INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)"
)


def parse_instant(text: str) -> int:
    """Read epoch seconds (also with a fraction), epoch ns or RFC 3339 as epoch ns.

    Raises:
        ValueError: in Go's words.
    """
    if re.fullmatch(r"[+-]?\d*\.\d*(?:[eE][+-]?\d+)?", text) and text != ".":
        return round(float(text) * 1000) * 1_000_000
    if re.fullmatch(r"[+-]?\d+", text):
        whole = int(text)
        return whole * NS_PER_S if len(text) <= LONGEST_SECONDS else whole
    stamp = INSTANT.fullmatch(text)
    if not stamp:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    seconds = datetime.fromisoformat(stamp[1] + stamp[3].replace("Z", "+00:00"))
    return ns_since_epoch(seconds) + int((stamp[2] or "").ljust(9, "0"))


def ns_since_epoch(at: datetime) -> int:
    """Return a whole second as epoch ns."""
    return (at - EPOCH) // timedelta(seconds=1) * NS_PER_S


def parse_duration(text: str) -> int | None:
    """Read ``1h30m``, ``5m``, ``250ms``, ``30d`` as ns; None when it is no duration."""
    total, at = 0.0, 0
    for part in DURATION_PART.finditer(text):
        if part.start() != at:
            return None
        total += float(part[1]) * UNITS_NS[part[2]]
        at = part.end()
    return round(total) if at == len(text) and at else None


def go_duration(ns: int) -> str:
    """Write a duration as Go does: ``960h0m0s``."""
    minutes, rest = divmod(ns, 60 * NS_PER_S)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / NS_PER_S:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def short_duration(seconds: int) -> str:
    """Write a duration as Prometheus does: ``30d1h``."""
    text = ""
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def rfc3339(ns: int) -> str:
    """Write epoch ns as RFC 3339 in UTC, to the second."""
    return (EPOCH + timedelta(seconds=ns // NS_PER_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


def go_time(ns: int) -> str:
    """Write epoch ns as Go prints a time in UTC."""
    whole = (EPOCH + timedelta(seconds=ns // NS_PER_S)).strftime("%Y-%m-%d %H:%M:%S")
    fraction = f".{ns % NS_PER_S:09d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction} +0000 UTC"
