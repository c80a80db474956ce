"""Write boards as Grafana keeps dashboards."""

from collections.abc import Iterator, Sequence

from app.dashboards.flavours import Flavour
from app.dashboards.nouns import (
    WIDTH,
    Annotation,
    Board,
    Json,
    Panel,
    Section,
    Variable,
)
from app.dashboards.panels import write_panel

_ALERTS: Json = {
    "builtIn": 1,
    "name": "Annotations & Alerts",
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "type": "dashboard",
    "enable": True,
    "hide": True,
    "iconColor": "orange",
}  # Grafana's own: alerts that changed their state, on the panels they belong to
SCHEMA = 41  # of Grafana 11.6, which Infinity needs at least
_HEADING = 1  # height of the heading of a section


def write_board(board: Board, flavour: Flavour) -> Json:
    """Write one board for one data source."""
    narrowed_by = [each.name for each in board.variables if each.narrows]
    marks = [_annotation(each, flavour, narrowed_by) for each in board.annotations]
    marks.insert(0, dict(_ALERTS))
    return {
        "uid": f"{flavour.prefix}{board.name}",
        "title": f"{board.title} ({flavour.label})"
        if flavour.has_ad_hoc
        else board.title,
        "description": board.help,
        "tags": ["skald", f"skald-{flavour.name}", *board.tags],
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA,
        "timezone": "browser",
        "time": {"from": board.since, "to": "now"},
        "timepicker": {},
        "refresh": board.refresh,
        "templating": {"list": list(_variables(board, flavour))},
        "annotations": {"list": marks},
        "links": [_menu(flavour)],
        "panels": lay_out(board.sections, flavour, narrowed_by),
    }


def _menu(flavour: Flavour) -> Json:
    """Write the list of all boards, which keep time and variables."""
    return {
        "type": "dashboards",
        "title": "Skald",
        "icon": "external link",
        "tooltip": "",
        "url": "",
        "tags": [f"skald-{flavour.name}"],
        "asDropdown": True,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }


# -- panels ------------------------------------------------------------------------


def lay_out(
    sections: Sequence[Section], flavour: Flavour, narrowed_by: Sequence[str]
) -> list[Json]:
    """Place sections one under the other, panels from left to right in each."""
    placed: list[Json] = []
    top, number = 0, 0
    for section in sections:
        number += 1
        heading = _heading(section, number, top)
        placed.append(heading)
        inside = heading["panels"] if section.is_folded else placed
        top += _HEADING
        for panel, place in _places(section.panels, top):
            number += 1
            inside.append(write_panel(panel, number, place, flavour, narrowed_by))
            bottom = place["y"] + place["h"]
            top = max(top, bottom)
    return placed


def _heading(section: Section, number: int, top: int) -> Json:
    return {
        "id": number,
        "type": "row",
        "title": section.title,
        "collapsed": section.is_folded,
        "gridPos": {"h": _HEADING, "w": WIDTH, "x": 0, "y": top},
        "panels": [],
    }


def _places(panels: Sequence[Panel], top: int) -> Iterator[tuple[Panel, Json]]:
    left, height = 0, 0
    for panel in panels:
        if left + panel.width > WIDTH:
            left, top, height = 0, top + height, 0
        yield panel, {"h": panel.height, "w": panel.width, "x": left, "y": top}
        left, height = left + panel.width, max(height, panel.height)


# -- variables and annotations -----------------------------------------------------


def _variables(board: Board, flavour: Flavour) -> Iterator[Json]:
    yield {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": flavour.plugin,
        "current": {},
        "hide": 0,
        "regex": "",
        "refresh": 1,
        "skipUrlSync": False,
    }
    for each in board.variables:
        yield _custom(each) if each.choices else _queried(each, flavour)
    if flavour.has_ad_hoc:
        yield {
            "type": "adhoc",
            "name": "filters",
            "label": "Filters",
            "datasource": dict(flavour.ref),
            "hide": 0,
            "skipUrlSync": False,
        }


def _common(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "label": variable.label,
        "description": variable.help,
        "hide": 0,
        "skipUrlSync": False,
        "multi": not variable.is_single,
        "includeAll": not variable.is_single,
    }


def _queried(variable: Variable, flavour: Flavour) -> Json:
    written = _common(variable) | {
        "type": "query",
        "datasource": dict(flavour.ref),
        "query": flavour.variable_query(variable),
        "refresh": 1 if variable.since else 2,  # on load, or when the range changes
        "sort": 0,
        "regex": "",
        "options": [],
        "current": {},
    }
    if not variable.is_single:
        written["allValue"] = flavour.all
        written["current"] = {"text": ["All"], "value": ["$__all"]}
    return written


def _custom(variable: Variable) -> Json:
    options = [
        {"text": text, "value": value, "selected": not index}
        for index, (text, value) in enumerate(variable.choices)
    ]
    first = {key: options[0][key] for key in ("text", "value")}
    return _common(variable) | {
        "type": "custom",
        "query": ",".join(f"{text} : {value}" for text, value in variable.choices),
        "options": options,
        "current": first,
    }


def _annotation(each: Annotation, flavour: Flavour, narrowed_by: Sequence[str]) -> Json:
    return {
        "name": each.name,
        "enable": each.is_on,
        "hide": False,
        "iconColor": each.color,
        "datasource": dict(flavour.ref),
        **flavour.annotation(each, narrowed_by),
    }
