"""Hold a parsed query: which lines, or which numbers from them."""

from dataclasses import dataclass

from app.demo.standin.stages import Comparison, Stage


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The lines of some streams, run through some stages."""

    matchers: tuple[Comparison, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """A number a series, of its lines in (t - range, t]."""

    function: str
    lines: LogQuery
    range_ns: int


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A number a group of series; ``names`` are kept, or with ``without`` left out."""

    function: str
    inner: "MetricQuery"
    names: tuple[str, ...]
    without: bool


MetricQuery = RangeQuery | Aggregation
