"""Write the reference of SessionQL from its grammar, its functions and its bounds."""

from collections.abc import Callable, Iterable
from pathlib import Path

import app.sessionql
from app.catalog.buckets import buckets_of
from app.catalog.fields import FIELDS, KINDS, kinds_of
from app.sessionql import check, evaluate, figures, patterns, read
from app.sessionql.functions import FUNCTIONS, RANKS
from app.sessionql.literals import write_duration, write_number
from app.store.leaf_reader import MAX_CELLS

Table = Callable[[tuple[str, ...], Iterable[tuple[str, ...]]], str]

_TOP = """\
# SessionQL: every word

<!-- Written by `make docs` from `app/sessionql/` and `app/catalog/`; change it there. -->

[SessionQL](../sessionql.md) tells how queries are written. This page lists what there is.
"""

_OPERATORS = (
    ("`=` `!=`", "conditions", 'equal, or not; `nil` and `""` are "not said"'),
    ("`=~` `!~`", "conditions", "matches as a whole, or not: RE2, as in Prometheus"),
    ("`<` `<=` `>` `>=`", "conditions", "numbers, durations, times (ISO 8601 or ms)"),
    ("`!` `&&` `||`", "conditions, sets", "not, and, or; from tight to loose"),
    ("`>>` `>` `!>>` `!>`", "sets", "one event after the other, or not"),
    ("`^`", "figures", "power; binds tightest, and from the right"),
    ("`-`", "figures", "minus sign"),
    (
        "`*` `/` `%`",
        "figures",
        "times, divided by, remainder with the sign of the left",
    ),
    ("`+` `-`", "figures", "plus, minus"),
    ("`==` `!=` `<` `<=` `>` `>=`", "figures", "keep what holds; 1 or 0 with `bool`"),
)

_LITERALS = """\
Strings stand in `"..."` or `'...'` with the escapes of Go and JSON, or in backticks without any.
Durations are numbers with `ms s m h d w y`, one after the other: `1h30m`. `#` begins a comment.
"""


def page(table: Table) -> str:
    """Write the page."""
    functions = [(f"`{each.form}`", each.help) for each in FUNCTIONS.values()]
    ranks = [(f"`{name}(n)`", text) for name, text in RANKS.items()]
    select = [("`select(field, ...)`", "Columns of a list; alone behind a selection.")]
    events = [
        (kind, ", ".join(f"`{n}`" for n, f in FIELDS.items() if kind in kinds_of(f)))
        for kind in KINDS
    ]
    return "\n".join(
        [
            _TOP,
            "## Functions\n",
            table(("function", "what it answers"), [*functions, *ranks, *select]),
            "\n## Operators\n",
            table(("written", "between", "what it means"), _OPERATORS),
            f"\n{_LITERALS}",
            "## Fields of events\n",
            table(("kind", "fields"), events),
            "\nAll others are [fields](fields.md) of the session.",
            "\n## Buckets\n",
            "Of `histogram_over_time` without bounds; durations are in ms.\n",
            table(("fields", "bounds"), _buckets()),
            "\n## Bounds\n",
            table(("what", "at most"), _bounds()),
            "\nA query over a bound is refused, and says which and by how much.",
            "\n## Grammar\n",
            f"```\n{_grammar()}\n```\n",
        ]
    )


def _buckets() -> list[tuple[str, str]]:
    found: dict[tuple[float, ...], list[str]] = {}
    for name, field in FIELDS.items():
        if field.type == "number":
            found.setdefault(buckets_of(field), []).append(f"`{name}`")
    return [
        (", ".join(names), " ".join(map(write_number, bounds)))
        for bounds, names in found.items()
    ]


def _bounds() -> list[tuple[str, str]]:
    return [
        ("characters of a query", f"{read.MAX_TEXT:,}"),
        ("levels of nesting", f"{read.MAX_DEPTH:,}"),
        ("conditions", f"{check.MAX_CONDITIONS:,}"),
        ("sets in a sequence", f"{check.MAX_SEQUENCE:,}"),
        ("characters of a string, of a pattern", f"{patterns.MAX_PATTERN:,}"),
        ("figures", f"{figures.MAX_LEAVES:,}"),
        ("labels", f"{figures.MAX_LABELS:,}"),
        ("quantiles", f"{figures.MAX_POINTS:,}"),
        ("bounds of a histogram", f"{figures.MAX_BUCKETS:,}"),
        ("columns of a list", f"{figures.MAX_COLUMNS:,}"),
        ("series that topk keeps", f"{figures.MAX_RANK:,}"),
        ("range", write_duration(figures.MAX_RANGE)),
        ("steps that each look back a range", f"{evaluate.MAX_STEPS:,}"),
        ("values of one figure, all series and buckets", f"{MAX_CELLS:,}"),
        ("series, time of a query", "see [settings](settings.md)"),
    ]


def _grammar() -> str:
    path = Path(app.sessionql.__file__).with_name("grammar.lark")
    return path.read_text("utf-8").strip()
