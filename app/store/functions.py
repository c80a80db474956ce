"""What SQLite lacks: quantiles, regular expressions that cannot hang, numbers in text."""

import re
import sqlite3

import orjson

from app.sessionql.patterns import compile_pattern, matches

_NUMBER = re.compile(r"[+-]?(\d{1,300}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


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
        return _at(values, self._q)


class Quantiles:
    """The aggregate ``quantiles(value, '[q, ...]')``: several as a JSON list."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._points = "[]"

    def step(self, value: float | None, points: str) -> None:
        """Take one value."""
        if value is not None:
            self._values.append(value)
            self._points = points

    def finalize(self) -> str | None:
        """Return the quantiles."""
        values = self._values
        if not values:
            return None
        values.sort()
        points: list[float] = orjson.loads(self._points)
        return orjson.dumps([_at(values, q) for q in points]).decode()


def _at(values: list[float], q: float) -> float:
    rank = q * (len(values) - 1)
    below = int(rank)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (rank - below)


def number(text: str | None) -> float | None:
    """Return the number that a whole text reads as; None where it is none."""
    return float(text) if text and _NUMBER.fullmatch(text) else None


def register(connection: sqlite3.Connection) -> None:
    """Teach *connection* our functions."""
    connection.create_aggregate("quantile", 2, Quantile)  # type: ignore[arg-type]
    connection.create_aggregate("quantiles", 2, Quantiles)  # type: ignore[arg-type]
    connection.create_function("matches", 2, matches, deterministic=True)
    connection.create_function("number", 1, number, deterministic=True)


__all__ = ["compile_pattern", "matches", "number", "register"]
