"""What a declaration consists of: columns, asks, panels, variables, boards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

WIDTH = 24  # columns of Grafana's grid


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click on a value leads.

    Attributes:
        url: as Grafana interpolates it; ``{uid:...}`` becomes the uid of a board.
    """

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer, and how a table shows it.

    Attributes:
        name: in the answer.
        type: string, number, boolean or time.
        unit: as Grafana names it.
        width: px; 0 = it has what others leave, and *least* at least.
        steps: thresholds, ascending; the first color holds below the first.
        look: ``gauge`` draws a bar, ``color`` colors the text.
        is_hidden: only links need it.
        texts: (value, how it is shown, color) of those that are shown otherwise.
    """

    name: str
    type: str = "string"
    label: str = ""
    unit: str = ""
    width: int = 0
    least: int = 0
    steps: tuple[float, ...] = ()
    colors: tuple[str, ...] = ()
    look: str = ""
    links: tuple[Link, ...] = ()
    is_hidden: bool = False
    texts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        path: below ``/api/v1/``.
        columns: of the answer that are wanted.
        given: parameters that stand for themselves.
        shape: what Infinity makes of the rows: table, timeseries, logs, trace, dataframe,
            node-graph-nodes, node-graph-edges.
        metrics: when figures are asked for.
        by: labels of figures.
        is_narrowed: the variables of the board narrow it.
        is_ranged: the time range of the board does.
        target: its name for the JSON data source, when that is no metric.
        told: what the JSON data source has to be told that the path says.
        root: where in the answer the rows are.
    """

    path: str
    columns: tuple[Column, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    shape: str = "table"
    metrics: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    is_narrowed: bool = True
    is_ranged: bool = True
    target: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        kind: stat, timeseries, table, barchart, logs, traces, nodeGraph, text ...
        help: its description.
        unit: of all figures, where columns do not say.
        names: how series are shown: label or metric → text.
        overrides: of fields that no ask declares: name → properties.
        options: of the kind, beside the usual ones.
        color: mode of the colors of values; "" = as usual for the kind.
        custom: of the kind's fields, beside the usual ones.
        links: of every value.
        transformations: applied last.
        rising: figures for which more is worse show a rise in red: ``bad``.
    """

    kind: str
    title: str
    help: str
    asks: tuple[Ask, ...] = ()
    width: int = 12
    height: int = 8
    unit: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Json] = field(default_factory=dict)
    steps: tuple[float, ...] = ()
    colors: tuple[str, ...] = ()
    color: str = ""
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    transformations: tuple[Json, ...] = ()
    rising: str = "good"
    least: float | None = 0  # of the axis; None = of the figures shown
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A row with a heading; one that is folded asks nothing until it is opened."""

    title: str
    panels: tuple[Panel, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable whose values are those of a field.

    Attributes:
        name: also of the parameter that it narrows.
        field: of the catalog; "" = ``choices`` are all.
        narrowed_by: variables that chain it.
        is_single: one value at a time, and no "All".
        narrows: it is a filter of every ask.
        choices: (text, value), when there is nothing to ask for.
        since: how far back values are looked for; "" = the range of the board.
        any: value of a first option that stands for any; "" = there is none.
    """

    name: str
    label: str
    help: str = ""
    field: str = ""
    narrowed_by: tuple[str, ...] = ()
    is_single: bool = False
    narrows: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    since: str = ""
    any: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Marks on every chart of a board."""

    name: str
    what: str
    color: str
    is_on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    name: str  # of its file; with a prefix, its uid
    title: str
    help: str
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-24h"
    refresh: str = ""
    tags: tuple[str, ...] = ()
