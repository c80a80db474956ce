"""The named metrics: an expression each, with its unit, its help and its thresholds."""

from dataclasses import dataclass

from app.sessionql.plan import Arithmetic, Compare, Leaf, Plan


@dataclass(frozen=True, slots=True)
class Metric:
    """One question that has a name."""

    name: str
    label: str
    plan: Plan
    unit: str  # as Grafana names it: short, ms, percentunit, none
    help: str
    counts: bool = False  # an empty bucket means 0; of a rate or an average, nothing
    thresholds: tuple[float, ...] = ()  # good | needs improvement | poor


def _share(field: str, op: str, value: str | float | bool) -> Leaf:  # noqa: FBT001
    return Leaf("share", where=Compare(field, op, (value,)))


def _status(name: str) -> Metric:
    counted = Leaf("count", selector=Compare("status", "=", (name,)))
    label = f"{name.capitalize()} sessions"
    return Metric(
        f"{name}_sessions", label, counted, "short", f"Status {name}.", counts=True
    )


def _users(name: str, label: str, text: str, *, returning: bool) -> Metric:
    chosen = Compare("returning", "=", (returning,))
    plan = Leaf("distinct", "user", selector=chosen)
    return Metric(name, label, plan, "short", text, counts=True)


def _sum(name: str, label: str, text: str) -> Metric:
    return Metric(name, label, Leaf("sum", name), "short", text, counts=True)


def _vital(name: str, good: float, poor: float) -> Metric:
    # As in web.dev/articles/defining-core-web-vitals-thresholds
    return Metric(
        f"{name}_p75",
        f"{name.upper()} p75",
        Leaf("quantile", name, 0.75),
        "none" if name == "cls" else "ms",
        f"75th percentile of {name.upper()} over page views.",
        thresholds=(good, poor),
    )


def _duration(name: str, label: str, plan: Leaf, text: str) -> Metric:
    return Metric(name, label, plan, "ms", text)


_COUNT = Leaf("count")

_METRICS = (
    Metric("sessions", "Sessions", _COUNT, "short", "Sessions begun.", counts=True),
    Metric(
        "active_sessions",
        "Active sessions",
        Leaf("active"),
        "short",
        "Sessions that had an event in the bucket.",
        counts=True,
    ),
    Metric(
        "active_users",
        "Active users",
        Leaf("distinct", "user"),
        "short",
        "Distinct identified users of the sessions.",
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
        Arithmetic("/", Leaf("sum", "views"), _COUNT),
        "none",
        "Views divided by sessions.",
    ),
    _duration(
        "duration_avg", "Duration, mean", Leaf("avg", "duration"), "Mean duration."
    ),
    _duration(
        "duration_p50",
        "Duration, median",
        Leaf("quantile", "duration", 0.5),
        "Half of the sessions are shorter.",
    ),
    _duration(
        "duration_p95",
        "Duration, p95",
        Leaf("quantile", "duration", 0.95),
        "One session in twenty is longer.",
    ),
    Metric(
        "bounce_rate",
        "Bounce rate",
        _share("bounced", "=", value=True),
        "percentunit",
        "Share of sessions that bounced, by the definition chosen for the deployment.",
    ),
    Metric(
        "error_rate",
        "Error rate",
        _share("errors", ">", 0.0),
        "percentunit",
        "Share of sessions with at least one error.",
        thresholds=(0.01, 0.05),
    ),
    Metric(
        "crash_free_rate",
        "Crash-free rate",
        _share("status", "!=", "crashed"),
        "percentunit",
        "Share of sessions that did not crash.",
        thresholds=(0.99, 0.999),
    ),
    *(_status(name) for name in ("healthy", "errored", "crashed", "abnormal")),
    _sum("errors", "Errors", "Distinct error events."),
    _sum("actions", "Actions", "Named user actions and custom events."),
    _vital("lcp", 2500, 4000),
    _vital("inp", 200, 500),
    _vital("cls", 0.1, 0.25),
    _vital("ttfb", 800, 1800),
    _vital("fcp", 1800, 3000),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}
