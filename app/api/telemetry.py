"""Measure ourselves: durations by route, and what the index says of its sources."""

from collections.abc import Iterator, Sequence

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.api.rule_metrics import rule_metrics
from app.api.service import Service
from app.clock import monotonic
from app.errors import SkaldError
from app.export.exposition import expose
from app.settings import Settings
from app.store.answers import Answered
from app.store.seam import JobStatus, Reader, SourceStatus
from app.version import __version__

_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS"})
_NS = 1e9


def register_telemetry(app: Flask, service: Service) -> None:
    """Time every request, under its route and never under what was asked."""
    app.before_request(_begin)
    app.after_request(lambda response: _observe(response, service))


def _begin() -> None:
    g.began = monotonic()


def _observe(response: Response, service: Service) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in _METHODS else "other"
    labels = (route, method, str(response.status_code))
    service.durations.labels(*labels).observe(monotonic() - g.began)
    if "reader" in g and (answered := g.reader.take_answered()):
        response.headers["Server-Timing"] = _timing(answered)
    return response


def _timing(answered: Sequence[Answered]) -> str:
    """Say what answered the figures of a request, and in how many ms.

    Source: Server-Timing of W3C, which browsers show beside a request.
    """
    taken: dict[str, float] = {}
    for each in answered:
        taken[each.by] = taken.get(each.by, 0.0) + each.ms
    return ", ".join(f"{by};dur={ms:.2f}" for by, ms in taken.items())


def exposition(service: Service, now: int) -> bytes:
    """Write everything that is measured in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(IndexCollector(service, now))
    ProcessCollector(registry=registry)
    own = generate_latest(registry) + generate_latest(service.registry)
    return own + _recorded(service, now, own)


def _recorded(service: Service, now: int, own: bytes) -> bytes:
    try:
        index: Reader = service.open_reader(service.settings)
        try:
            return expose(index, service.settings.rule_series, now, own)
        finally:
            index.close()
    except SkaldError:  # skald_index_readable says so
        return b""


class IndexCollector(Collector):
    """What the index says, at the time of a scrape."""

    def __init__(self, service: Service, now: int) -> None:
        self._service, self._now = service, now

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: to register must not read the index."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the index; when that fails, say just that."""
        build = GaugeMetricFamily(
            "skald_build_info", "Which Skald.", labels=["version"]
        )
        build.add_metric([__version__], 1)
        yield build
        try:
            sizes, sources, jobs, rules = _look(self._service)
        except SkaldError:
            sizes, sources, jobs, rules = None, [], [], []
        readable = 0 if sizes is None else 1
        yield GaugeMetricFamily("skald_index_readable", "1 when it is.", value=readable)
        for name, value in (sizes or {}).items():
            yield GaugeMetricFamily(*_SIZES[name], value=value)
        yield from _of_sources(sources, self._now)
        yield from _of_jobs(jobs)
        yield from rules


_SIZES = {
    "sessions": ("skald_index_sessions", "Sessions held."),
    "bytes": ("skald_index_bytes", "Bytes in use in the index."),
    "file": ("skald_index_file_bytes", "Bytes of the file that holds the index."),
}


def _look(
    service: Service,
) -> tuple[dict[str, int], list[SourceStatus], list[JobStatus], list[Metric]]:
    settings: Settings = service.settings
    index: Reader = service.open_reader(settings)
    try:
        return index.size(), index.sources(), index.jobs(), [*rule_metrics(index)]
    finally:
        index.close()


def _of_sources(sources: list[SourceStatus], now: int) -> Iterator[Metric]:
    label = ["source"]
    entries = CounterMetricFamily("skald_source_entries", "Entries read.", labels=label)
    size = CounterMetricFamily("skald_source_bytes", "Bytes of them.", labels=label)
    decoded = CounterMetricFamily(
        "skald_source_decoded", "Entries understood.", labels=label
    )
    dropped = CounterMetricFamily(
        "skald_source_dropped", "Entries left out.", labels=[*label, "reason"]
    )
    lag = GaugeMetricFamily(
        "skald_source_lag_seconds", "How far the index is behind now.", labels=label
    )
    updated = GaugeMetricFamily(
        "skald_source_updated_timestamp_seconds", "Last change.", labels=label
    )
    for each in sources:
        entries.add_metric([each.name], each.entries)
        size.add_metric([each.name], each.bytes)
        decoded.add_metric([each.name], each.decoded)
        updated.add_metric([each.name], each.updated / 1_000)
        if each.cursor:
            lag.add_metric([each.name], max(0.0, now / 1_000 - each.cursor / _NS))
        for reason, count in each.dropped.items():
            dropped.add_metric([each.name, reason], count)
    yield from (entries, size, decoded, dropped, lag, updated)


def _of_jobs(jobs: list[JobStatus]) -> Iterator[Metric]:
    label = ["job"]
    runs = CounterMetricFamily("skald_job_runs", "Runs that ended.", labels=label)
    failures = CounterMetricFamily(
        "skald_job_failures", "Runs that failed.", labels=label
    )
    missed = CounterMetricFamily(
        "skald_job_missed", "Times it was due and did not start.", labels=label
    )
    started = GaugeMetricFamily(
        "skald_job_last_start_timestamp_seconds", "Its last start.", labels=label
    )
    took = GaugeMetricFamily(
        "skald_job_last_duration_seconds", "How long its last run took.", labels=label
    )
    for each in jobs:
        runs.add_metric([each.name], each.runs)
        failures.add_metric([each.name], each.failures)
        missed.add_metric([each.name], each.missed)
        started.add_metric([each.name], each.started / 1_000)
        took.add_metric([each.name], each.took_ms / 1_000)
    yield from (runs, failures, missed, started, took)
