"""Read amounts of USD exactly, and keep them as whole pico-USD."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

PICO = Decimal(10) ** 12
_MOST = Decimal(10) ** 4  # USD; no one thing costs more
_MAX_DIGITS = 40


def pico_usd(value: Any) -> int | None:
    """Return an amount in pico-USD; None when *value* is none, negative or absurd.

    A float stands for the shortest decimal that reads as it: what JSON said.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > _MAX_DIGITS:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= _MOST:
        return None
    return int((amount * PICO).to_integral_value(ROUND_HALF_EVEN))


def usd(pico: int) -> float:
    """Return pico-USD as USD: the float that is nearest."""
    return float(Decimal(pico) / PICO)
