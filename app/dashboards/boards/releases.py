"""Whether the new version is better than the old one."""

from dataclasses import replace

from app.dashboards.asks import changes, figures, rows, series
from app.dashboards.boards.common import MARKS, filters
from app.dashboards.charts import chart, strip, table
from app.dashboards.nouns import Ask, Board, Column, Panel, Section, Variable

_COMPARED = (
    "sessions,active_users,error_rate,crash_free_rate,bounce_rate,duration_p50,"
    "views_per_session,lcp_p75,inp_p75,cls_p75"
)


def _compare(title: str, text: str, names: tuple[str, str], **given: str) -> Panel:
    return table(
        title,
        text,
        replace(
            rows(
                "compare",
                Column("label", label="Figure"),
                Column("text_a", label=names[0]),
                Column("text_b", label=names[1]),
                Column("change", "number", "Change", "percentunit"),
                metric=_COMPARED,
                **given,
            ),
            told={"metric": _COMPARED.split(",")},
        ),
        width=8,
        height=10,
    )


def _version(name: str, label: str, text: str) -> Variable:
    return Variable(
        name=name,
        label=label,
        help=text,
        field="version",
        narrowed_by=("app",),
        is_single=True,
        narrows=False,
        any="*",
    )


_NEW = Ask(
    "annotations",
    (
        Column("time", "time", "First seen", width=170),
        Column("title", label="Release"),
        Column("text", label="What"),
        Column("id", is_hidden=True),
    ),
    {"what": "releases"},
    target="releases",
)

BOARD = Board(
    name="releases",
    title="Releases",
    help="Whether the new version is better than the old one.",
    since="now-7d",
    variables=(
        *filters(without="version"),
        _version("old", "Compare", "First of two versions; (any) = the most frequent."),
        _version("new", "with", "Second of two versions; (any) = the next frequent."),
    ),
    annotations=MARKS,
    sections=(
        Section(
            "Overview",
            (
                strip(
                    "The range against the one before",
                    "Of all versions.",
                    changes("sessions", "crash_free_rate", "duration_p50"),
                    width=12,
                ),
                strip(
                    "Trouble",
                    "The less the better: a rise against the range before is red.",
                    changes("error_rate", "bounce_rate", "lcp_p75"),
                    width=12,
                    rising="bad",
                ),
            ),
        ),
        Section(
            "Version against version",
            (
                _compare(
                    "Version against version",
                    "The two versions chosen above; one that is not, is the most frequent.",
                    ("First", "Second"),
                    between="version",
                    a="${old}",
                    b="${new}",
                ),
                table(
                    "All versions",
                    "How good each version is.",
                    figures(
                        "sessions",
                        "active_users",
                        "error_rate",
                        "crash_free_rate",
                        "duration_p50",
                        "lcp_p75",
                        by="version",
                        limit=50,
                    ),
                    width=16,
                    height=10,
                ),
            ),
        ),
        Section(
            "Over time",
            (
                chart(
                    "Sessions by version",
                    "How a release spreads; the ten most frequent versions.",
                    series("sessions", by="version", limit=10),
                ),
                chart(
                    "Error rate by version",
                    "Share of sessions with an error; the ten most frequent versions.",
                    series("error_rate", by="version", limit=10),
                ),
                chart(
                    "Crash-free rate by version",
                    "Share of sessions that did not crash; the ten most frequent "
                    "versions.",
                    series("crash_free_rate", by="version", limit=10),
                    least=None,
                ),
                chart(
                    "LCP p75 by version",
                    "75th percentile of the largest contentful paint; the ten most "
                    "frequent versions.",
                    series("lcp_p75", by="version", limit=10),
                ),
            ),
        ),
        Section(
            "New in the range",
            (
                table(
                    "Releases",
                    "Versions whose first session falls into the range.",
                    _NEW,
                    width=16,
                    height=10,
                ),
                _compare(
                    "The range against the one before",
                    "All versions, now and before.",
                    ("Before", "Now"),
                    between="before",
                ),
            ),
        ),
    ),
)
