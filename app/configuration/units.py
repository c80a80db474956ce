"""Read and write durations (``1h30m``) and sizes (``3MiB``) as people write them."""

import re

DURATIONS = {  # in ms, largest first
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
SIZES = {  # in bytes, largest first
    "GiB": 1 << 30,
    "GB": 10**9,
    "MiB": 1 << 20,
    "MB": 10**6,
    "KiB": 1 << 10,
    "KB": 10**3,
    "B": 1,
}
_SAID = ("d", "h", "m", "s", "ms")  # nobody says 12.857w for 90d
_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)(ms|[smhdw])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMG]i?B|B)", re.IGNORECASE)
_NUMBER = re.compile(r"[\d_]+(?:\.\d+)?")


def parse_duration(text: str) -> int:
    """Read *text* as a duration, in ms.

    Raises:
        ValueError: it is none; says how to write one.
    """
    if not _DURATION.fullmatch(text):
        unit = "has no unit" if _NUMBER.fullmatch(text) else "is not a duration"
        raise ValueError(f"{unit}; write 500ms, 10s, 15m, 1h30m or 90d")
    parts = [(found[1], found[2]) for found in _PART.finditer(text)]
    return round(sum(float(number) * DURATIONS[unit] for number, unit in parts))


def parse_size(text: str) -> int:
    """Read *text* as a size, in bytes.

    Raises:
        ValueError: it is none; says how to write one.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        unit = "has no unit" if _NUMBER.fullmatch(text) else "is not a size"
        raise ValueError(f"{unit}; write 512KiB, 3MiB or 1GiB")
    units = {unit.lower(): factor for unit, factor in SIZES.items()}
    return round(float(found[1]) * units[found[2].lower()])


def format_duration(ms: float) -> str:
    """Write a duration in the largest unit that it is a whole number of."""
    for unit in _SAID:
        if ms and ms % DURATIONS[unit] == 0:
            return f"{int(ms // DURATIONS[unit])}{unit}"
    return f"{ms:g}ms" if ms else "0s"


def format_size(size: float) -> str:
    """Write a size in the largest binary unit that it is a whole number of."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % SIZES[unit] == 0:
            return f"{int(size // SIZES[unit])}{unit}"
    return f"{int(size)}B"
