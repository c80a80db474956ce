"""Write figures for people, where one column holds figures of several units."""

import math
from datetime import UTC, datetime

_LENGTHS = ((86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def write_figure(value: float | None, unit: str) -> str:
    """Write a figure with its unit, to three digits; "" when there is none.

    Args:
        value: in the unit.
        unit: as Grafana names it: ms, percentunit, currencyUSD, bytes, short ...
    """
    if value is None:
        return ""
    if unit == "percentunit":
        return f"{_shorten(value * 100)} %"
    if unit == "currencyUSD":
        return f"${_shorten(value)}"
    if unit == "ms":
        return _scale(value, _LENGTHS, "ms")
    if unit == "bytes":
        return _scale(value, _SIZES, "B")
    return _shorten(value)


def write_time(at: int) -> str:
    """Write an instant, epoch ms, in UTC."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _scale(value: float, units: tuple[tuple[int, str], ...], least: str) -> str:
    for size, name in units:
        if abs(value) >= size:
            return f"{_shorten(value / size)} {name}"
    return f"{_shorten(value)} {least}"


def _shorten(value: float) -> str:
    if not value:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
