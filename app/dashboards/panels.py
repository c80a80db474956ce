"""Write panels as Grafana keeps them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from app.catalog.metrics import METRICS
from app.dashboards.asks import STATUS_COLORS
from app.dashboards.columns import column_properties, thresholds, write_link
from app.dashboards.flavours import Flavour
from app.dashboards.nouns import Ask, Column, Json, Panel

_NO_BASE = " ∞ % or 0 %: there may have been nothing before to compare with."
_QUIET = frozenset(
    {"text", "traces", "nodeGraph", "logs"}
)  # have no fields to describe


def write_panel(
    panel: Panel, number: int, place: Json, flavour: Flavour, narrowed_by: Sequence[str]
) -> Json:
    """Write one panel.

    Args:
        panel: declared.
        number: its id on the board.
        place: in the grid.
        flavour: whose targets it gets.
        narrowed_by: names of the variables that are filters.
    """
    written: Json = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help + (_NO_BASE if _has_changes(panel) else ""),
        "gridPos": place,
        "fieldConfig": _field_config(panel, flavour),
        "options": OPTIONS[panel.kind](panel) | panel.options,
        "transparent": False,
    }
    if panel.kind in {"timeseries", "barchart"}:
        written["interval"] = "1m"  # least; active sessions are kept by the minute
        written["maxDataPoints"] = 300 if panel.width > 12 else 150  # noqa: PLR2004
    targets = _targets(panel.asks, flavour, narrowed_by)
    if targets:
        written |= {"datasource": dict(flavour.ref), "targets": targets}
    steps = [*_arrange(panel, len(targets)), *panel.transformations]
    if steps:
        written["transformations"] = steps
    return written


def _has_changes(panel: Panel) -> bool:
    return any(ask.path == "changes" for ask in panel.asks)


def _targets(
    asks: Sequence[Ask], flavour: Flavour, narrowed_by: Sequence[str]
) -> list[Json]:
    targets: list[Json] = []
    for ask in asks:
        refs = ascii_uppercase[len(targets) :]
        targets += flavour.targets(ask, refs, narrowed_by)
    return targets


def _arrange(panel: Panel, targets: int) -> list[Json]:
    """Put columns into the order declared: Infinity orders them by the alphabet."""
    columns = columns_of(panel)
    if panel.kind == "timeseries" and targets == len(panel.asks) == 1:
        return _arrange_series(panel.asks[0])
    if panel.kind not in {"table", "stat", "barchart"} or len(columns) < 2:  # noqa: PLR2004
        return []
    steps: list[Json] = []
    if targets > 1:
        if panel.kind == "stat":
            return []  # a frame a figure, in the order of the targets
        steps.append({"id": "merge", "options": {}})
    return [*steps, organize(each.name for each in columns)]


def _arrange_series(ask: Ask) -> list[Json]:
    if ask.by or len(ask.metrics) < 2:  # noqa: PLR2004
        return []
    return [organize(("time", *ask.metrics))]


def organize(names: Iterable[str]) -> Json:
    """Put fields into an order; those that are not named come last."""
    order = {name: number for number, name in enumerate(names)}
    arranged = {"indexByName": order, "excludeByName": {}, "renameByName": {}}
    return {"id": "organize", "options": arranged}


def columns_of(panel: Panel) -> list[Column]:
    """List the columns of all asks of a panel, each once."""
    found = {column.name: column for ask in panel.asks for column in ask.columns}
    return list(found.values())


# -- fields ------------------------------------------------------------------------


def _field_config(panel: Panel, flavour: Flavour) -> Json:
    if panel.kind in _QUIET:
        return {"defaults": {}, "overrides": []}
    defaults: Json = {
        "color": {"mode": panel.color or _color_mode(panel)},
        "thresholds": thresholds(panel.steps, panel.colors),
        "mappings": [],
    }
    if panel.unit:
        defaults["unit"] = panel.unit
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.kind == "timeseries" and panel.least is not None:
        defaults["min"] = panel.least
    if panel.kind == "stat":
        defaults["noValue"] = "-"
    if panel.links:
        defaults["links"] = [write_link(each, flavour) for each in panel.links]
    custom = CUSTOM.get(panel.kind, {}) | _lines(panel) | panel.custom
    if custom:
        defaults["custom"] = custom
    shown = _shown(panel) if flavour.says_labels else {}
    overrides = [
        _override(shown.get(name, name), properties)
        for name, properties in (
            *_column_overrides(panel, flavour),
            *_series_overrides(panel),
            *panel.overrides.items(),
        )
    ]
    return {"defaults": defaults, "overrides": overrides}


def _shown(panel: Panel) -> dict[str, str]:
    """Map names of figures to those under which the JSON data source shows them."""
    metrics = [m for each in panel.asks if not each.by for m in each.metrics]
    if panel.kind == "table" or not metrics:
        return {}
    shown = {name: METRICS[name].label for name in metrics}
    return shown | ({"Value": shown[metrics[0]]} if len(metrics) == 1 else {})


def _color_mode(panel: Panel) -> str:
    if panel.kind in {"timeseries", "barchart", "piechart"}:
        return "palette-classic"
    return "thresholds"


def _lines(panel: Panel) -> Json:
    """Draw the thresholds of a chart."""
    if panel.kind == "timeseries" and panel.steps:
        return {"thresholdsStyle": {"mode": "dashed"}}
    return {}


def _column_overrides(panel: Panel, flavour: Flavour) -> list[tuple[str, Json]]:
    if panel.kind not in {"table", "stat", "barchart"}:
        return []
    found = [
        (column.name, column_properties(column, panel, flavour))
        for column in columns_of(panel)
    ]
    return [(name, properties) for name, properties in found if properties]


def _series_overrides(panel: Panel) -> list[tuple[str, Json]]:
    """Say how series are called, colored and measured that answers tell by a label."""
    found: dict[str, Json] = {}
    for name, text in panel.names.items():
        found.setdefault(name, {})["displayName"] = text
    for name, unit in panel.units.items():
        found.setdefault(name, {})["unit"] = unit
    for name, properties in found.items():
        status = name.removesuffix("_sessions")
        if status in STATUS_COLORS:
            color = {"mode": "fixed", "fixedColor": STATUS_COLORS[status]}
            properties["color"] = color
    return list(found.items())


def _override(name: str, properties: Mapping[str, Any]) -> Json:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [
            {"id": key, "value": value} for key, value in properties.items()
        ],
    }


# -- options, by kind --------------------------------------------------------------


def _stat(panel: Panel) -> Json:
    change = "inverted" if panel.rising == "bad" else "standard"
    return {  # "last", since a figure that is missing now is not the one before
        "reduceOptions": {"calcs": ["last"], "fields": "", "values": False},
        "orientation": "auto",
        "textMode": "auto",
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "wideLayout": False,
        "showPercentChange": _has_changes(panel),
        "percentChangeColorMode": change,
    }


def _timeseries(_panel: Panel) -> Json:
    return {
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
            "calcs": [],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _table(_panel: Panel) -> Json:
    return {
        "showHeader": True,
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "countRows": False},
    }


def _barchart(panel: Panel) -> Json:
    return {
        "orientation": "horizontal",
        "xField": columns_of(panel)[0].name,
        "showValue": "auto",
        "stacking": "none",
        "groupWidth": 0.7,
        "barWidth": 0.9,
        "barRadius": 0,
        "fullHighlight": False,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": False,
            "calcs": [],
        },
        "tooltip": {"mode": "single", "sort": "none"},
    }


def _logs(_panel: Panel) -> Json:
    return {
        "showTime": True,
        "showLabels": False,
        "showCommonLabels": False,
        "wrapLogMessage": True,
        "prettifyLogMessage": False,
        "enableLogDetails": True,
        "dedupStrategy": "none",
        "sortOrder": "Ascending",
    }


def _text(_panel: Panel) -> Json:
    return {"mode": "markdown"}


OPTIONS: dict[str, Callable[[Panel], Json]] = {
    "stat": _stat,
    "timeseries": _timeseries,
    "table": _table,
    "barchart": _barchart,
    "logs": _logs,
    "traces": lambda _panel: {},
    "nodeGraph": lambda _panel: {},
    "text": _text,
}
CUSTOM: dict[str, Json] = {
    "timeseries": {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 10,
        "showPoints": "auto",
        "spanNulls": False,
    },
    "table": {"align": "auto", "filterable": False, "minWidth": 80},
    "barchart": {"lineWidth": 1, "fillOpacity": 80},
}
BARS: Json = {
    "drawStyle": "bars",
    "fillOpacity": 80,
    "lineWidth": 0,
    "stacking": {"mode": "normal", "group": "A"},
}  # of counts, one upon the other
