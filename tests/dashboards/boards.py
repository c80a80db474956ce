"""Read the committed dashboards: what each asks, and where."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from app.shipped import grafana_dir

Json = dict[str, Any]


def files(flavour: str) -> list[Path]:
    """List the committed dashboards of one data source."""
    return sorted((grafana_dir() / "dashboards" / flavour).glob("*.json"))


@cache
def board(path: Path) -> Json:
    """Return one dashboard."""
    found: Json = json.loads(path.read_text("utf-8"))
    return found


def panels(dashboard: Json, *, folded: bool = True) -> Iterator[Json]:
    """Yield its panels, also those in rows that are folded."""
    for each in dashboard["panels"]:
        if each["type"] != "row":
            yield each
        elif folded:
            yield from each["panels"]


def variables(dashboard: Json) -> list[Json]:
    """Return the variables that ask for their values."""
    return [each for each in dashboard["templating"]["list"] if each["type"] == "query"]


def marks(dashboard: Json) -> list[Json]:
    """Return the annotations that ask Skald."""
    return [
        each for each in dashboard["annotations"]["list"] if not each.get("builtIn")
    ]
