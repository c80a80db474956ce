"""Read the committed dashboards."""

import json
from functools import cache
from pathlib import Path

from app.shipped import grafana_dir
from bench.grafana import Json, marks, panels, variables

__all__ = ["board", "files", "made", "marks", "panels", "variables"]


def files(flavour: str) -> list[Path]:
    """List the committed dashboards of one data source."""
    return sorted((grafana_dir() / "dashboards" / flavour).glob("*.json"))


@cache
def board(path: Path) -> Json:
    """Return one dashboard."""
    found: Json = json.loads(path.read_text("utf-8"))
    return found


def made(panel: Json) -> set[str]:
    """Return the names of columns that a transformation of a panel makes."""
    options = [
        each["options"]
        for each in panel.get("transformations", ())
        if each["id"] == "groupingToMatrix"
    ]
    return {f"{each['rowField']}\\{each['columnField']}" for each in options}
