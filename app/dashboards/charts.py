"""Write panels of the usual kinds: what follows from what they ask is not said again."""

from typing import Any

from app.catalog.metrics import METRICS
from app.dashboards.asks import label_names
from app.dashboards.nouns import Ask, Panel
from app.dashboards.panels import BARS


def chart(title: str, text: str, ask: Ask, **more: Any) -> Panel:
    """Draw figures bucket by bucket, with the unit and names that the catalog has."""
    unit = METRICS[ask.metrics[0]].unit
    names = label_names(ask.metrics) if len(ask.metrics) > 1 else {}
    if not names and not ask.by:
        names = {"Value": METRICS[ask.metrics[0]].label}
    known = {"unit": unit, "names": names, "most": 1 if unit == "percentunit" else None}
    return Panel(
        kind="timeseries", title=title, help=text, asks=(ask,), **{**known, **more}
    )


def bars(title: str, text: str, ask: Ask, **more: Any) -> Panel:
    """Draw what sums up, one upon the other."""
    return chart(title, text, ask, custom=BARS, **more)


def strip(title: str, text: str, *asks: Ask, **more: Any) -> Panel:
    """Show figures side by side, with their change where the ask has two points."""
    return Panel(
        kind="stat", title=title, help=text, asks=asks, **{"height": 4, **more}
    )


def table(title: str, text: str, *asks: Ask, **more: Any) -> Panel:
    """Show rows."""
    return Panel(kind="table", title=title, help=text, asks=asks, **more)
