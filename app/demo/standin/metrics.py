"""Answer metric queries: count lines in (t - range, t] and aggregate the counts."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.demo.standin.entries import Store, Stream
from app.demo.standin.errors import Refused
from app.demo.standin.queries import Aggregation, MetricQuery, RangeQuery
from app.demo.standin.select import matching, reader_of
from app.demo.standin.stages import ERROR
from app.demo.standin.times import NS_PER_S
from app.model import Labels

Key = tuple[tuple[str, str], ...]  # labels, sorted by name
Points = dict[int, float]  # epoch ns of an evaluation → value
Vectors = dict[Key, Points]
Combine = Callable[[list[float]], float]

COMBINE: dict[str, Combine] = {
    "sum": sum,
    "count": lambda values: float(len(values)),
    "min": min,
    "max": max,
    "avg": lambda values: sum(values) / len(values),
}


@dataclass(frozen=True, slots=True)
class Instants:
    """When to evaluate: from start to end inclusive, by step; epoch ns."""

    start: int
    end: int
    step: int

    def __iter__(self) -> Iterator[int]:
        """Yield the evaluation times, ascending."""
        return iter(range(self.start, self.end + 1, self.step))


class Samples:
    """The lines of one series: their times, and their sizes summed up to each."""

    __slots__ = ("sums", "times")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.sums: list[int] = []

    def value(self, function: str, t: int, range_ns: int) -> float:
        """Evaluate over (t - range, t]; 0 when it holds no line."""
        first = bisect_right(self.times, t - range_ns)
        last = bisect_right(self.times, t)
        if function == "bytes_over_time":
            return self._sum(last) - self._sum(first)
        return _counted(last - first, function, range_ns)

    def _sum(self, count: int) -> int:
        return self.sums[count - 1] if count else 0


def _counted(count: int, function: str, range_ns: int) -> float:
    return count * NS_PER_S / range_ns if function == "rate" else count


class Evaluator:
    """Evaluate metric queries over one store at given times."""

    def __init__(self, store: Store, at: Instants) -> None:
        self.store = store
        self.at = at
        self.max_series = store.limits.max_series

    def evaluate(self, query: MetricQuery) -> Vectors:
        """Return the points of every series that has one.

        Raises:
            Refused: when a step of the way holds more series than the limit. Loki
                groups a ``sum`` while it reads, so only its groups count.
        """
        with self.store.lock:
            return self._bounded(query)

    def _bounded(self, query: MetricQuery) -> Vectors:
        found = (
            self._range(query, None)
            if isinstance(query, RangeQuery)
            else self._aggregate(query)
        )
        if len(found) > self.max_series:
            raise Refused(_too_many_series(self.max_series))
        return found

    def _aggregate(self, query: Aggregation) -> Vectors:
        inner = query.inner
        if query.function == "sum" and isinstance(inner, RangeQuery):
            return self._range(inner, query)
        groups: dict[Key, dict[int, list[float]]] = {}
        for key, points in self._bounded(inner).items():
            group = groups.setdefault(grouped(dict(key), query), {})
            for t, value in points.items():
                group.setdefault(t, []).append(value)
        combine = COMBINE[query.function]
        return {
            key: {t: combine(values) for t, values in sorted(points.items())}
            for key, points in groups.items()
        }

    def _range(self, query: RangeQuery, by: Aggregation | None) -> Vectors:
        """Evaluate a function over a range, summed by the groups of *by*."""
        found: Vectors = {}
        slow: dict[Key, Samples] = {}
        for stream in matching(self.store, query.lines.matchers):
            if by is not None and countable(query, by, stream):
                points = self._count(stream, query)
                _add(found.setdefault(grouped(stream.labels, by), {}), points)
            else:
                self._read(stream, query, by, slow)
        for key, samples in slow.items():
            values = (
                (t, samples.value(query.function, t, query.range_ns)) for t in self.at
            )
            _add(found.setdefault(key, {}), {t: value for t, value in values if value})
        return {key: points for key, points in found.items() if points}

    def _count(self, stream: Stream, query: RangeQuery) -> Points:
        """Count without reading a line."""
        points: Points = {}
        for t in self.at:
            where = stream.between(t - query.range_ns + 1, t + 1)
            if where and query.function == "bytes_over_time":
                points[t] = sum(stream.sizes[where.start : where.stop])
            elif where:
                points[t] = _counted(len(where), query.function, query.range_ns)
        return points

    def _read(
        self,
        stream: Stream,
        query: RangeQuery,
        by: Aggregation | None,
        into: dict[Key, Samples],
    ) -> None:
        """Read the lines of a stream, each into the series of its labels."""
        reader = reader_of(query.lines.stages)
        where = stream.between(self.at.start - query.range_ns + 1, self.at.end + 1)
        fresh: dict[Key, list[tuple[int, int]]] = {}
        for at in where:
            row = reader(stream, at)
            if row is None:
                continue
            if row.parsed.get(ERROR):
                raise Refused(_pipeline_error(row.merged()))
            labels = row.merged()
            key = _key(labels) if by is None else grouped(labels, by)
            fresh.setdefault(key, []).append((stream.times[at], len(row.line.encode())))
        for key, lines in fresh.items():
            _append(into.setdefault(key, Samples()), lines)


def _append(samples: Samples, lines: list[tuple[int, int]]) -> None:
    """Add lines of another stream to a series, in order of time."""
    sizes = [
        size - before
        for size, before in zip(samples.sums, [0, *samples.sums], strict=False)
    ]
    merged = sorted([*zip(samples.times, sizes, strict=True), *lines])
    samples.times = [ts for ts, _ in merged]
    total = 0
    samples.sums = [total := total + size for _, size in merged]


def _add(into: Points, points: Points) -> None:
    for t, value in points.items():
        into[t] = into.get(t, 0) + value


def countable(query: RangeQuery, by: Aggregation, stream: Stream) -> bool:
    """Tell whether a sum over a stream can do without reading its lines."""
    return (
        not query.lines.stages
        and not by.without
        and stream.metadata_names.isdisjoint(by.names)
    )


def grouped(labels: Labels, by: Aggregation) -> Key:
    """Return the labels that an aggregation keeps."""
    if by.without:
        return _key({k: v for k, v in labels.items() if k not in by.names})
    return _key({k: labels[k] for k in by.names if labels.get(k)})


def _key(labels: Labels) -> Key:
    return tuple(sorted(labels.items()))


def _too_many_series(limit: int) -> str:
    return (
        f"maximum number of series ({limit}) reached for a single query; consider"
        " reducing query cardinality by adding more specific stream selectors,"
        " reducing the time range, or aggregating results with functions like sum(),"
        " count() or topk()"
    )


def _pipeline_error(labels: Labels) -> str:
    error = labels[ERROR]
    return (
        f"pipeline error: '{error}' for series: '{_series_name(labels)}'.\n"
        "Use a label filter to intentionally skip this error."
        f' (e.g | __error__!="{error}").\n'
        "To skip all potential errors you can match empty errors."
        '(e.g __error__="")'
    )


def _series_name(labels: Labels) -> str:
    pairs = (f'{name}="{value}"' for name, value in sorted(labels.items()))
    return "{" + ", ".join(pairs) + "}"
