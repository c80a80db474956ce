"""What figures are worth: benchmarks with a name for each band between them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bands:
    """The bands of one metric.

    Attributes:
        limits: ascending, in the metric's unit; a figure that is one belongs above it.
        names: one more than limits.
    """

    limits: tuple[float, ...]
    names: tuple[str, ...]

    def name(self, value: float) -> str:
        """Return the band that *value* lies in."""
        return self.names[sum(value >= limit for limit in self.limits)]


_MINUTE = 60_000.0  # ms
VITAL_BANDS = ("good", "needs improvement", "poor")

BANDS: dict[str, Bands] = {
    "error_rate": Bands(
        (0.05, 0.10, 0.20), ("excellent", "good", "needs attention", "critical")
    ),
    "duration_avg": Bands(
        (_MINUTE, 5 * _MINUTE), ("poor engagement", "normal", "high engagement")
    ),
    "views_per_session": Bands(
        (2.0, 5.0), ("not exploring", "normal browsing", "engaged or lost")
    ),
}


def band_of(metric: str, value: float | None) -> str:
    """Return what *value* of *metric* is worth; "" when nobody says."""
    bands = BANDS.get(metric)
    return bands.name(value) if bands is not None and value is not None else ""
