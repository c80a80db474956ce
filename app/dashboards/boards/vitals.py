"""How fast pages are, by Google's thresholds."""

from app.catalog.metrics import METRICS
from app.dashboards.asks import changes, figures, limits_of, series
from app.dashboards.boards.common import MARKS, filters
from app.dashboards.charts import chart, strip, table
from app.dashboards.nouns import Board, Panel, Section

VITALS = ("lcp_p75", "inp_p75", "cls_p75", "ttfb_p75", "fcp_p75")
_SAYS = {
    "lcp_p75": "Largest contentful paint: when the main content is there.",
    "inp_p75": "Interaction to next paint: how soon the page reacts.",
    "cls_p75": "Cumulative layout shift: how much the page jumps.",
    "ttfb_p75": "Time to first byte: how soon the server answers.",
    "fcp_p75": "First contentful paint: when anything is there.",
}


def _chart(name: str, by: str = "device") -> Panel:
    metric = METRICS[name]
    steps, colors = limits_of(metric)
    return chart(
        f"{metric.label} by {by}",
        f"{_SAYS[name]} The lines are where good ends and where poor begins.",
        series(name, by=by, limit=6),
        width=8,
        steps=steps,
        colors=colors,
    )


def _table(by: str, title: str, width: int = 12) -> Panel:
    return table(
        f"By {title}",
        f"75th percentile of each vital over the page views of each {title}.",
        figures("sessions", *VITALS, by=by, limit=100),
        width=width,
    )


BOARD = Board(
    name="vitals",
    title="Web vitals",
    help="How fast pages are: 75th percentiles, with Google's thresholds.",
    variables=filters("page"),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "75th percentiles",
                    "Over all page views; a rise against the range before is red.",
                    changes(*VITALS),
                    width=24,
                    rising="bad",
                ),
            ),
        ),
        Section("Over time", (_chart("lcp_p75"), _chart("inp_p75"), _chart("cls_p75"))),
        Section("By page", (_table("page", "page", 24),)),
        Section(
            "By device, country, browser",
            (
                _table("device", "device"),
                _table("country", "country"),
                _table("browser", "browser"),
                _table("version", "version"),
            ),
        ),
        Section(
            "Before the main content",
            (
                chart(
                    "From first byte to main content",
                    "75th percentiles of the steps of a page load, one after the other.",
                    series("ttfb_p75", "fcp_p75", "lcp_p75"),
                    width=24,
                ),
            ),
        ),
    ),
)
