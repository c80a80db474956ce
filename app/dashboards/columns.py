"""Write what Grafana keeps of columns: names, units, colors, links, widths."""

import re
from collections.abc import Sequence

from app.dashboards.flavours import Flavour
from app.dashboards.nouns import Column, Json, Link, Panel

_BOARD = re.compile(r"\{uid:([\w-]+)\}")
_PLAIN = "text"  # Grafana's color of text
_BAR = 180  # px
_CELLS: dict[str, Json] = {
    "gauge": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
    "color": {"type": "color-text"},
    "background": {"type": "color-background", "mode": "basic"},
}


def column_properties(column: Column, panel: Panel, flavour: Flavour) -> Json:
    """Write how a column is shown.

    Args:
        column: of an answer.
        panel: that shows it.
        flavour: whose boards links lead to.
    """
    properties: Json = {}
    if column.label and column.label != column.name:
        properties["displayName"] = column.label
    if column.unit and column.unit != panel.unit:
        properties["unit"] = column.unit
    if column.steps:
        properties["thresholds"] = thresholds(column.steps, column.colors)
    if column.links:
        properties["links"] = [write_link(each, flavour) for each in column.links]
    if column.texts:
        properties["mappings"] = [_mapping(column.texts)]
    return properties | (_cell(column) if panel.kind == "table" else {})


def _cell(column: Column) -> Json:
    properties: Json = {}
    if column.is_hidden:
        properties["custom.hidden"] = True
    if column.width:
        properties["custom.width"] = column.width
    if column.least:
        properties["custom.minWidth"] = column.least
    if column.look:
        properties["custom.cellOptions"] = _CELLS[column.look]
    if column.look == "gauge":
        properties["min"] = 0
        properties["fieldMinMax"] = True  # else a bar is measured by all columns
        properties["custom.width"] = column.width or _BAR
        properties["color"] = {"mode": "fixed", "fixedColor": "blue"}
    return properties


def _mapping(texts: Sequence[tuple[str, str, str]]) -> Json:
    """Show values otherwise than they are."""
    options = {
        value: {"text": text, "index": index} | ({"color": color} if color else {})
        for index, (value, text, color) in enumerate(texts)
    }
    return {"type": "value", "options": options}


def thresholds(steps: Sequence[float], colors: Sequence[str]) -> Json:
    """Write thresholds: the first color holds below the first step."""
    known = tuple(colors) or (_PLAIN, *[_PLAIN] * len(steps))
    bounds = [None, *steps]
    return {
        "mode": "absolute",
        "steps": [
            {"color": color, "value": bound}
            for color, bound in zip(known, bounds, strict=False)
        ],
    }


def write_link(link: Link, flavour: Flavour) -> Json:
    """Write where a click on a value leads."""
    url = _BOARD.sub(rf"/d/{flavour.prefix}\1", link.url)
    return {"title": link.title, "url": url, "targetBlank": False}
