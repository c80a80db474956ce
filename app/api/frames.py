"""Lay figures out as a panel wants them: flat rows, long rows, series, tables.

Every row of an answer has the same keys, times are ms, a missing figure is null.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from app.catalog.fields import find
from app.catalog.metrics import Metric
from app.sessionql.evaluate import Frame, Series

Row = dict[str, Any]

NONE = "(none)"  # how a label without a value is shown


def figure(value: float | None) -> float | int | None:
    """Write a whole figure without a fraction."""
    if value is not None and float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def to_rows(metrics: Sequence[Metric], frames: Sequence[Frame]) -> list[Row]:
    """Lay out one row a label set, one column a metric; the first metric orders them."""
    rows: dict[tuple[str, ...], Row] = {}
    blank = {metric.name: 0 if metric.counts else None for metric in metrics}
    for metric, frame in zip(metrics, frames, strict=True):
        for series in _series(frame):
            labels = dict(zip(frame.by, series.labels, strict=True))
            row = rows.setdefault(series.labels, {**labels, **blank})
            row[metric.name] = figure(series.values[0])
    return list(rows.values())


def to_long_rows(metrics: Sequence[Metric], frames: Sequence[Frame]) -> list[Row]:
    """Lay out one row a bucket and label set, ascending by time.

    Several metrics are told apart by the label ``metric``.
    """
    columns = [
        (_labels(metric, frame, series, several=len(metrics) > 1), series.values)
        for metric, frame in zip(metrics, frames, strict=True)
        for series in _series(frame)
    ]
    times = frames[0].times if frames else []
    return [
        {"time": time, **labels, "Value": figure(values[index])}
        for index, time in enumerate(times)
        for labels, values in columns
    ]


def _labels(metric: Metric, frame: Frame, series: Series, *, several: bool) -> Row:
    # Grafana drops a label that is empty, and calls the series as it likes.
    labels = {
        name: value or NONE for name, value in zip(frame.by, series.labels, strict=True)
    }
    return {**labels, "metric": metric.name} if several else labels


def _series(frame: Frame) -> list[Series]:
    """Return the series; a question without labels always has one, if only of nothing."""
    if frame.series or frame.by:
        return frame.series
    return [Series((), [None] * len(frame.times))]


def to_timeserie(metric: Metric, frame: Frame) -> Iterator[Row]:
    """Lay out a series as the first JSON data source knew it: ``[[value, ms], ...]``.

    Its ``title`` is what Grafana shows: left alone it would put the name before the labels.
    """
    for series in _series(frame):
        points = zip(map(figure, series.values), frame.times, strict=True)
        name = _legend(metric, frame, series)
        yield {
            "target": name,
            "title": name,
            "datapoints": [list(point) for point in points],
            "tags": dict(zip(frame.by, series.labels, strict=True)),
            "unit": metric.unit,
        }


def _legend(metric: Metric, frame: Frame, series: Series) -> str:
    if not frame.by:
        return metric.label
    if len(frame.by) == 1:
        return series.labels[0] or NONE
    pairs = zip(frame.by, series.labels, strict=True)
    return ", ".join(f"{name}={value or NONE}" for name, value in pairs)


def to_fields(metric: Metric, frame: Frame) -> Iterator[Row]:
    """Lay out series as data frames: a field of times and a field of figures each."""
    for series in _series(frame):
        labels = dict(zip(frame.by, series.labels, strict=True))
        name = _legend(metric, frame, series)
        yield {
            "name": name,
            "fields": [
                {"name": "time", "type": "time", "values": frame.times},
                {
                    "name": "Value",
                    "type": "number",
                    "labels": labels,
                    "config": {"unit": metric.unit, "displayNameFromDS": name},
                    "values": [figure(value) for value in series.values],
                },
            ],
        }


def to_dataframe_json(metric: Metric, frame: Frame) -> Iterator[Row]:
    """Lay out series as Grafana's wire format: schema and columns apart."""
    for item in to_fields(metric, frame):
        values = [field.pop("values") for field in item["fields"]]
        yield {"schema": item, "data": {"values": values}}


def to_table(rows: Sequence[Row], columns: Sequence[Row]) -> Row:
    """Lay out rows as a table: columns with a type, rows as lists."""
    texts = [column["text"] for column in columns]
    return {
        "type": "table",
        "columns": list(columns),
        "rows": [[row.get(text) for text in texts] for row in rows],
    }


def field_column(name: str) -> Row:
    """Describe the column of a field of the catalog."""
    field = find(name)
    column: Row = {"text": name, "type": field.type if field else "string"}
    if field and field.unit:
        column["unit"] = field.unit
    return column


def metric_column(metric: Metric) -> Row:
    """Describe the column of a metric."""
    return {"text": metric.name, "type": "number", "unit": metric.unit}
