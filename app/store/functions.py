"""What SQLite lacks: quantiles, and regular expressions that cannot hang."""

import sqlite3
from functools import lru_cache

import re2

from app.errors import BadRequest

_MAX_PATTERN = 1_000  # characters


class Quantile:
    """The aggregate ``quantile(value, q)``: linear between the closest ranks.

    The same definition as Prometheus' and Loki's ``quantile_over_time`` and as
    NumPy's default. NULL when there is no value.
    """

    def __init__(self) -> None:
        self._values: list[float] = []
        self._q = 0.0

    def step(self, value: float | None, q: float) -> None:
        """Take one value."""
        if value is not None:
            self._values.append(value)
            self._q = q

    def finalize(self) -> float | None:
        """Return the quantile."""
        values = self._values
        if not values:
            return None
        values.sort()
        rank = self._q * (len(values) - 1)
        below = int(rank)
        above = min(below + 1, len(values) - 1)
        return values[below] + (values[above] - values[below]) * (rank - below)


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> "re2._Regexp":
    """Compile a pattern of RE2, the syntax of Prometheus and Loki; time is linear.

    Raises:
        BadRequest: it is none, or too long.
    """
    if len(pattern) > _MAX_PATTERN:
        raise BadRequest(f"a pattern has at most {_MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0] if error.args else ""
        reason = text.decode() if isinstance(text, bytes) else str(text)
        raise BadRequest(f"bad pattern {pattern!r}: {reason}") from error


def matches(pattern: str, value: str | None) -> bool:
    """Return whether the whole *value* matches, as a Prometheus matcher would."""
    return compile_pattern(pattern).fullmatch(value or "") is not None


def register(connection: sqlite3.Connection) -> None:
    """Teach *connection* our functions."""
    connection.create_aggregate("quantile", 2, Quantile)  # type: ignore[arg-type]
    connection.create_function("matches", 2, matches, deterministic=True)
