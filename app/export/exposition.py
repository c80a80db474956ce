"""Expose the latest recorded values, and how the receivers fare, to a scrape."""

import re
from collections.abc import Iterator

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    UnknownMetricFamily,
)
from prometheus_client.registry import Collector

from app.errors import SkaldError
from app.export.additive import adds_up
from app.export.shown import Shown, choose
from app.store.feed_seam import ReceiverStatus
from app.store.recorded import RULES
from app.store.seam import Reader

MAX_SERIES = 100_000  # read for one scrape
REASONS = ("identity", "label", "limit", "name")
_TYPE = re.compile(rb"^# TYPE (\S+)", re.MULTILINE)


def expose(reader: Reader, most: int, now: int, own: bytes) -> bytes:
    """Write what is recorded in Prometheus' text format.

    Args:
        reader: the index.
        most: series of one rule.
        now: current time, ms.
        own: what is exposed beside it; its names are taken.

    Raises:
        SkaldError: the index cannot be read.
    """
    standing = reader.standing(now, MAX_SERIES)
    exprs = _expressions(reader)
    taken = {name.decode() for name in _TYPE.findall(own)}
    shown = choose(standing, most, lambda rule: adds_up(exprs.get(rule, "")), taken)
    registry = CollectorRegistry()
    registry.register(_Families([*_of_recorded(shown), *_of(reader.receivers(), now)]))
    return generate_latest(registry)


def _expressions(reader: Reader) -> dict[str, str]:
    """Return the expression of every rule in force, by its key."""
    try:
        groups = orjson.loads(reader.mark(RULES).text or "[]")
    except (orjson.JSONDecodeError, SkaldError):
        return {}
    return {rule["key"]: rule["expr"] for each in groups for rule in each["rules"]}


class _Families(Collector):
    """What is measured already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def describe(self) -> list[Metric]:
        """Name nothing beforehand."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Hand it over."""
        yield from self._families


def _of_recorded(shown: Shown) -> Iterator[Metric]:
    series = GaugeMetricFamily("skald_recorded_series", "Recorded series shown here.")
    series.add_metric([], sum(len(each) for _, each in shown.families.values()))
    dropped = GaugeMetricFamily(
        "skald_recorded_series_dropped",
        "Recorded series that are not shown here, by reason.",
        labels=["reason"],
    )
    for reason in REASONS:
        dropped.add_metric([reason], shown.dropped[reason])
    yield from (series, dropped)
    if shown.newest:
        yield GaugeMetricFamily(
            "skald_recorded_newest_timestamp_seconds",
            "Newest slot of all recorded series.",
            value=shown.newest / 1_000,
        )
    for name, (recorded, pairs) in shown.families.items():
        family = UnknownMetricFamily(name, f"Recorded by a rule as {recorded}.")
        for labels, value in pairs:
            family.add_sample(name, labels, value)
        yield family


def _of(receivers: list[ReceiverStatus], now: int) -> Iterator[Metric]:
    prefix, label = "skald_remote_write", ["receiver"]
    counts = {
        "sent": "Samples that the receiver took.",
        "refused": "Samples that the receiver will not take; they are given up.",
        "late": "Corrections that the receiver does not take; they are left out.",
        "barred": "Samples with a label that must not leave.",
        "failures": "Attempts that came to nothing, and were made again.",
    }
    for field, help_text in counts.items():
        unit = "" if field == "failures" else "_samples"
        family = CounterMetricFamily(f"{prefix}{unit}_{field}", help_text, labels=label)
        for each in receivers:
            family.add_metric([each.name], getattr(each.tally, field))
        yield family
    pending = GaugeMetricFamily(
        f"{prefix}_samples_pending", "Samples that wait.", labels=label
    )
    lag = GaugeMetricFamily(
        f"{prefix}_lag_seconds", "Age of the first that waits; 0: none.", labels=label
    )
    newest = GaugeMetricFamily(
        f"{prefix}_newest_timestamp_seconds",
        "Newest slot that the receiver has.",
        labels=label,
    )
    for each in receivers:
        pending.add_metric([each.name], each.pending)
        waits = max(0, now - each.oldest) if each.oldest else 0
        lag.add_metric([each.name], waits / 1_000)
        if each.newest:
            newest.add_metric([each.name], each.newest / 1_000)
    yield from (pending, lag, newest)
