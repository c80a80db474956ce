"""How visitors go: from page to page, in and out, through a funnel."""

from app.dashboards.asks import figures
from app.dashboards.boards.common import MARKS, SESSION_COLUMNS, filters
from app.dashboards.charts import table
from app.dashboards.nouns import Ask, Board, Column, Panel, Section, Variable
from app.dashboards.panels import organize

_WAY = {"after": "${after}", "top": "${top}"}
_STEPS = "step=${step1:percentencode}&step=${step2:percentencode}&step=${step3:percentencode}"
_ANY = "~..*"  # any page; ".+" alone would mean that no step is wanted


def _paths(layout: str, shape: str, *columns: Column, **given: str) -> Ask:
    target = "ways" if layout == "flow" else f"ways_{layout}"
    given = {"format": layout} | _WAY | given
    return Ask("paths", columns, given, shape, target=target)


def _funnel(layout: str, *columns: Column, **given: str) -> Ask:
    # Infinity knows a parameter once: what is repeated has to stand in the URL.
    return Ask(
        f"funnel?{_STEPS}",
        columns,
        {"format": layout} | given,
        target="dropped_off" if layout == "sessions" else "funnel",
        told={"steps": ["$step1", "$step2", "$step3"]},
    )


GRAPH = Panel(
    kind="nodeGraph",
    title="Ways",
    help="Visits of each page, mean time on it, and the ways between; the arc shows how many"
    " leave there.",
    asks=(
        _paths(
            "nodes",
            "node-graph-nodes",
            Column("id"),
            Column("title"),
            Column("subTitle"),
            Column("mainStat"),
            Column("secondaryStat"),
            Column("arc__ok", "number"),
            Column("arc__exit", "number"),
        ),
        _paths(
            "edges",
            "node-graph-edges",
            Column("id"),
            Column("source"),
            Column("target"),
            Column("mainStat"),
            Column("secondaryStat"),
            Column("thickness", "number"),
        ),
    ),
    width=24,
    height=16,
    options={
        "nodes": {
            "arcs": [
                {"field": "arc__ok", "color": "green"},
                {"field": "arc__exit", "color": "orange"},
            ],
        },
    },
)
_TRANSITIONS = table(
    "Transitions",
    "From which page to which, how often, and the share of those who left the first.",
    _paths(
        "flow",
        "table",
        Column("source", label="From"),
        Column("target", label="To"),
        Column("value", "number", "Times", look="gauge"),
        Column("sessions", "number", "Sessions", width=90),
        Column("share", "number", "Share", "percentunit", width=90),
        limit="200",
    ),
    width=24,
    height=9,
)
MATRIX = table(
    "Flow matrix",
    "A row a page, a column the page that came next; the darker, the more often.",
    _paths("matrix", "table", top="10"),
    width=24,
    height=12,
    color="continuous-blues",
    custom={"cellOptions": {"type": "color-background", "mode": "basic"}},
    overrides={
        "page": {
            "displayName": "From",
            "custom.cellOptions": {"type": "auto"},
            "custom.minWidth": 160,
        }
    },
    transformations=(organize(("page",)),),
)


def _ends(field: str, title: str, text: str) -> Panel:
    return table(
        title,
        text,
        figures("sessions", "bounce_rate", "error_rate", by=field, limit=20),
    )


_FUNNEL_COLUMNS = (
    Column("name", label="Step", texts=((_ANY, "any page", ""),)),
    Column("sessions", "number", "Sessions", look="gauge"),
    Column("share", "number", "Of the first", "percentunit", width=110),
    Column("from_previous", "number", "Of the step before", "percentunit", width=140),
    Column("dropped", "number", "Dropped off", width=110),
    Column("took_avg", "number", "Mean time to it", "ms", width=130),
)


def _step(number: int) -> Variable:
    return Variable(
        name=f"step{number}",
        label=f"Step {number}",
        help="A page; a typed value may be an action, such as action=pay.",
        field="page",
        narrowed_by=("app",),
        is_single=True,
        narrows=False,
        any=_ANY,
    )


BOARD = Board(
    name="journeys",
    title="Journeys",
    help="How visitors go from page to page, where they enter and leave, where they drop off.",
    variables=(
        *filters(),
        Variable(
            name="after",
            label="From page",
            help="Follow visitors from their first visit of this page on.",
            field="page",
            narrowed_by=("app",),
            is_single=True,
            narrows=False,
            any="*",
        ),
        Variable(
            name="top",
            label="Pages",
            help="Pages told apart; all others are one.",
            is_single=True,
            narrows=False,
            choices=(("10", "10"), ("20", "20"), ("50", "50")),
        ),
        _step(1),
        _step(2),
        _step(3),
    ),
    annotations=MARKS,
    sections=(
        Section("Ways", (GRAPH, _TRANSITIONS, MATRIX)),
        Section(
            "In and out",
            (
                _ends(
                    "entry", "Entry pages", "Where sessions begin, and how these go."
                ),
                _ends("exit", "Exit pages", "Where sessions end."),
            ),
        ),
        Section(
            "Funnel",
            (
                table(
                    "Funnel",
                    "Sessions that took the steps chosen above, in that order.",
                    _funnel("rows", *_FUNNEL_COLUMNS),
                    width=24,
                    height=6,
                ),
                table(
                    "Dropped off after the first step",
                    "Sessions that took the first step and never the second.",
                    _funnel("sessions", *SESSION_COLUMNS, dropped="1", limit="100"),
                    width=24,
                    height=10,
                ),
            ),
        ),
    ),
)
