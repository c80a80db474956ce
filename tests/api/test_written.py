"""Figures written for people: three digits, with their unit."""

import pytest

from app.api.written import write_figure, write_time


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", ""),
        (0.0545, "percentunit", "5.45 %"),
        (1.0, "percentunit", "100 %"),
        (0.0, "percentunit", "0 %"),
        (-0.273, "percentunit", "-27.3 %"),
        (240.4, "ms", "240 ms"),
        (44_377.5, "ms", "44.4 s"),
        (7_200_000.0, "ms", "2 h"),
        (3 * 86_400_000.0, "ms", "3 days"),
        (0.0268073875, "currencyUSD", "$0.0268"),
        (1_048_576.0, "bytes", "1 MiB"),
        (1_234_567.0, "short", "1,234,567"),
        (2.534, "none", "2.53"),
        (100.0, "short", "100"),
    ],
)
def test_figures_have_their_unit(value: float | None, unit: str, text: str) -> None:
    """No reader has to know what 0.0545 `percentunit` is."""
    assert write_figure(value, unit) == text


def test_times_say_their_zone() -> None:
    """An instant is written in UTC, and says so."""
    assert write_time(1_795_166_214_116) == "2026-11-20 09:16:54 UTC"
