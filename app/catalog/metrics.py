"""The named metrics: a query each, with its unit, its help and its thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.catalog.bands import BANDS, VITAL_BANDS
from app.catalog.told import TOLD


@dataclass(frozen=True, slots=True)
class Metric:
    """One question that has a name."""

    name: str
    label: str
    text: str  # SessionQL
    unit: str  # as Grafana names it: short, ms, percentunit, none
    help: str
    counts: bool = False  # an empty bucket means 0; of a rate or an average, nothing
    thresholds: tuple[float, ...] = ()  # between the bands, ascending
    bands: tuple[str, ...] = ()  # names of them, one more than thresholds


def _status(name: str) -> Metric:
    text = f'{{ status = "{name}" }} | count_over_time()'
    label = f"{name.capitalize()} sessions"
    return Metric(
        f"{name}_sessions", label, text, "short", f"Status {name}.", counts=True
    )


def _users(name: str, label: str, text: str, *, returning: bool) -> Metric:
    chosen = f"{{ returning = {str(returning).lower()} }} | distinct_over_time(user)"
    return Metric(name, label, chosen, "short", text, counts=True)


def _sum(name: str, label: str, text: str, unit: str = "short") -> Metric:
    return Metric(
        name, label, f"{{ }} | sum_over_time({name})", unit, text, counts=True
    )


def _vital(name: str, good: float, poor: float) -> Metric:
    # As in web.dev/articles/defining-core-web-vitals-thresholds
    return Metric(
        f"{name}_p75",
        f"{name.upper()} p75",
        f"{{ }} | quantile_over_time({name}, 0.75)",
        "none" if name == "cls" else "ms",
        f"75th percentile of {name.upper()} over page views.",
        thresholds=(good, poor),
        bands=VITAL_BANDS,
    )


def _sessions(name: str, label: str, chosen: str, text: str) -> Metric:
    query = f"{{ {chosen} }} | count_over_time()"
    return Metric(name, label, query, "short", text, counts=True)


def _banded(metric: Metric) -> Metric:
    bands = BANDS.get(metric.name)
    if bands is None:
        return metric
    return replace(metric, thresholds=bands.limits, bands=bands.names)


def _duration(name: str, label: str, function: str, text: str) -> Metric:
    return Metric(name, label, f"{{ }} | {function}", "ms", text)


def _told() -> Iterator[Metric]:
    """Yield what only some sources can answer."""
    for each in TOLD:
        if each.type == "number" and each.unit != "ms":
            yield _sum(each.name, each.label, each.help, each.unit)
    yield Metric(
        "cost_per_session",
        "Cost per session",
        "({ } | sum_over_time(cost)) / ({ } | count_over_time())",
        "currencyUSD",
        "Cost divided by sessions.",
    )
    yield Metric(
        "frustration_rate",
        "Frustration rate",
        "{ } | share_over_time(frustrations > 0)",
        "percentunit",
        "Share of sessions with at least one frustration.",
    )
    yield _duration(
        "latency_p95",
        "Trace latency, p95",
        "quantile_over_time(latency, 0.95)",
        "One trace in twenty takes longer.",
    )
    yield _sum("model_cost", "Cost by model", "Best asked by model.", "currencyUSD")
    yield _sum("model_tokens", "Tokens by model", "Best asked by model.")


_METRICS = (
    Metric(
        "sessions",
        "Sessions",
        "{ } | count_over_time()",
        "short",
        "Sessions begun.",
        counts=True,
    ),
    Metric(
        "active_sessions",
        "Active sessions",
        "{ } | active_over_time()",
        "short",
        "Sessions that had an event in the bucket.",
        counts=True,
    ),
    Metric(
        "active_users",
        "Active users",
        "{ } | distinct_over_time(user)",
        "short",
        "Distinct users of the sessions, the last one of each.",
        counts=True,
    ),
    _users(
        "new_users", "New users", "Users whose first session it is.", returning=False
    ),
    _users("returning_users", "Returning users", "Users seen before.", returning=True),
    _sum("views", "Views", "Pages, views or components visited."),
    Metric(
        "views_per_session",
        "Views per session",
        "({ } | sum_over_time(views)) / ({ } | count_over_time())",
        "none",
        "Views divided by sessions.",
    ),
    _duration(
        "duration_avg", "Duration, mean", "avg_over_time(duration)", "Mean duration."
    ),
    _duration(
        "duration_p50",
        "Duration, median",
        "quantile_over_time(duration, 0.5)",
        "Half of the sessions are shorter.",
    ),
    _duration(
        "duration_p95",
        "Duration, p95",
        "quantile_over_time(duration, 0.95)",
        "One session in twenty is longer.",
    ),
    Metric(
        "bounce_rate",
        "Bounce rate",
        "{ } | share_over_time(bounced = true)",
        "percentunit",
        "Share of sessions that bounced, by the definition chosen for the deployment.",
    ),
    Metric(
        "error_rate",
        "Error rate",
        "{ } | share_over_time(errors > 0)",
        "percentunit",
        "Share of sessions with at least one error.",
    ),
    Metric(
        "crash_free_rate",
        "Crash-free rate",
        '{ } | share_over_time(status != "crashed")',
        "percentunit",
        "Share of sessions that did not crash.",
        thresholds=(0.99, 0.999),
    ),
    *(_status(name) for name in ("healthy", "errored", "crashed", "abnormal")),
    _sessions("short_sessions", "Short sessions", "duration < 1m", "Under a minute."),
    _sessions(
        "medium_sessions",
        "Medium sessions",
        "duration >= 1m && duration <= 10m",
        "From one to ten minutes.",
    ),
    _sessions("long_sessions", "Long sessions", "duration > 10m", "Over ten minutes."),
    _sessions(
        "minor_error_sessions",
        "Sessions with 1 to 5 errors",
        "errors >= 1 && errors <= 5",
        "Worth a look if there is a pattern.",
    ),
    _sessions(
        "many_error_sessions",
        "Sessions with over 5 errors",
        "errors > 5",
        "Significant problems.",
    ),
    _sum("errors", "Errors", "Distinct error events."),
    _sum("actions", "Actions", "Named user actions and custom events."),
    _sum("failed_requests", "Failed requests", "Requests with status 400 or above."),
    _sum("log_errors", "Error logs", "Lines logged at level error."),
    _duration(
        "dwell_avg", "Dwell, mean", "avg_over_time(dwell)", "Mean time on a page."
    ),
    _duration(
        "dwell_p50",
        "Dwell, median",
        "quantile_over_time(dwell, 0.5)",
        "Half of the views are shorter.",
    ),
    *_told(),
    _vital("lcp", 2500, 4000),
    _vital("inp", 200, 500),
    _vital("cls", 0.1, 0.25),
    _vital("ttfb", 800, 1800),
    _vital("fcp", 1800, 3000),
)

METRICS: dict[str, Metric] = {each.name: _banded(each) for each in _METRICS}
