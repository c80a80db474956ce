"""Write asks by what they are for; names, types, labels, units come from the catalog."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.catalog import names
from app.catalog.bands import BANDS
from app.catalog.fields import FIELDS
from app.catalog.metrics import METRICS, Metric
from app.dashboards.nouns import Ask, Column

GREEN, YELLOW, RED = "green", "yellow", "red"
WORSENING = (GREEN, YELLOW, RED)
IMPROVING = (RED, YELLOW, GREEN)
_TARGETS = {"errors": "error_list"}  # those that are not called as their path is
_RISING_IS_GOOD = frozenset({"crash_free_rate"})
_BANDS = {
    "error_rate": (GREEN, "#96D98D", YELLOW, RED),
    "duration_avg": (YELLOW, "text", GREEN),  # engagement: little of it is no failure
    "views_per_session": (YELLOW, "text", GREEN),
}

STATUS_COLORS = {
    "healthy": "green",
    "errored": "orange",
    "crashed": "red",
    "abnormal": "purple",
}
_TEXTS = {"status": tuple((name, name, color) for name, color in STATUS_COLORS.items())}
_NONE = ("", "(none)", "")

TIME = Column("time", "time")
VALUE = Column("Value", "number")


def field_column(name: str, **more: Any) -> Column:
    """Return the column of a field of the catalog."""
    field = names.field(name)
    known: dict[str, Any] = {"label": field.label, "unit": field.unit}
    known["texts"] = _TEXTS.get(name, ())
    return Column(name, field.type, **{**known, **more})


def metric_column(name: str, **more: Any) -> Column:
    """Return the column of a metric of the catalog, with its thresholds."""
    metric = names.metric(name)
    known: dict[str, Any] = {"label": metric.label, "unit": metric.unit}
    steps, colors = limits_of(metric)
    if steps:
        known |= {"steps": steps, "colors": colors, "look": "color"}
    return Column(name, "number", **{**known, **more})


def limits_of(metric: Metric) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the thresholds of a metric, and the colors below, between, above them."""
    if metric.name in _BANDS:
        return BANDS[metric.name].limits, _BANDS[metric.name]
    if not metric.thresholds:
        return (), ()
    is_good = metric.name in _RISING_IS_GOOD
    return metric.thresholds, IMPROVING if is_good else WORSENING


def figures(*metrics: str, by: str = "", limit: int = 0, **given: str) -> Ask:
    """Ask for figures over the whole range: a row a label set, a column a metric."""
    labels = _split(by)
    columns = (
        *(label_column(each) for each in labels),
        *(metric_column(each) for each in metrics),
    )
    shown = {"metric": ",".join(metrics)} | _by(labels) | _limit(limit)
    return Ask("query", columns, shown | given, metrics=metrics, by=labels)


def label_column(name: str, **more: Any) -> Column:
    """Return the column of a label: a field, or an attribute of the application's own."""
    texts = (*_TEXTS.get(name, ()), _NONE)
    if name in FIELDS:
        return field_column(name, **{"texts": texts, **more})
    known = {"label": name.partition(".")[2], "texts": texts}
    return Column(name, "string", **{**known, **more})


def series(*metrics: str, by: str = "", limit: int = 0, **given: str) -> Ask:
    """Ask for figures bucket by bucket."""
    labels = _split(by)
    told = ("metric",) if len(metrics) > 1 else ()
    columns = (TIME, *(Column(each) for each in (*labels, *told)), VALUE)
    shown = {"metric": ",".join(metrics), "step": "${__interval}"}
    shown |= _by(labels) | _limit(limit) | given
    return Ask(
        "query_range", columns, shown, shape="timeseries", metrics=metrics, by=labels
    )


def changes(*metrics: str, by: str = "", **given: str) -> Ask:
    """Ask for figures of the range and of the one before it: two points a metric."""
    labels = _split(by)
    columns = (
        TIME,
        *(label_column(each) for each in labels),
        *(metric_column(each) for each in metrics),
    )
    given = {"metric": ",".join(metrics)} | _by(labels) | given
    return Ask(
        "changes", columns, given, shape="timeseries", metrics=metrics, by=labels
    )


def sessions(*columns: Column, limit: int = 200, sort: str = "-start", **given: str) -> Ask:  # fmt: skip
    """Ask for sessions, one a row."""
    names = ", ".join(each.name for each in columns)
    shown = {"format": "rows", "limit": str(limit), "sort": sort}
    shown |= {"q": f"{{ }} | select({names})"}
    return Ask("sessions", columns, shown | given, target="session_list")


def rows(path: str, *columns: Column, **given: str) -> Ask:
    """Ask any other endpoint that answers with rows."""
    shown = {"format": "rows"} | given
    return Ask(path, columns, shown, target=_TARGETS.get(path, path))


def fixed(ask: Ask) -> Ask:
    """Let an ask depend neither on variables nor on the range."""
    return replace(ask, is_narrowed=False, is_ranged=False)


def label_names(metrics: Iterable[str]) -> dict[str, str]:
    """Map metrics to their labels, as the names of series."""
    return {each: METRICS[each].label for each in metrics}


def _split(by: str) -> tuple[str, ...]:
    return tuple(each for each in by.split(",") if each)


def _by(labels: tuple[str, ...]) -> dict[str, str]:
    return {"by": ",".join(labels)} if labels else {}


def _limit(limit: int) -> dict[str, str]:
    return {"limit": str(limit)} if limit else {}
