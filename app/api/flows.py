"""Lay transitions out: nodes and edges of a graph, a matrix, rows of a flow."""

from collections.abc import Mapping
from typing import Any

from app.api.written import write_figure
from app.sessions.journeys import ENTRY, EXIT, OTHER, Edge, Passage, Place
from app.store.insight_seam import FlowAnswer

Row = dict[str, Any]

_NAMES = {ENTRY: "(entry)", EXIT: "(exit)", OTHER: "(other)", 0: "(unnamed)"}


class Graph:
    """Lays out one flow; figures of a sample are multiplied to those of all."""

    def __init__(self, found: FlowAnswer, limit: int) -> None:
        self._names: Mapping[int, str] = {**found.names, **_NAMES}
        self._places = found.flow.places
        self._sample = found.sample
        self._is_levelled = len({level for level, _ in self._places}) > 1
        edges = found.flow.edges.items()
        ranked = sorted(edges, key=lambda each: (-each[1].count, each[0]))
        self._edges = ranked[:limit]
        self.notices = self._tell(found, len(ranked))
        self._out: dict[Place, float] = {}
        self._exits: dict[Place, float] = {}
        for (source, target), passage in edges:
            self._out[source] = self._out.get(source, 0) + passage.count
            if target[1] == EXIT:
                self._exits[source] = passage.count

    def _tell(self, found: FlowAnswer, count: int) -> list[str]:
        notices = []
        shown = sum(1 for page in found.names if page > 0)
        if found.flow.pages > shown:
            notices.append(f"{shown} of {found.flow.pages} pages told apart")
        if count > len(self._edges):
            notices.append(f"showing {len(self._edges)} of {count} edges")
        return notices

    def _id(self, place: Place) -> str:
        level, page = place
        name = self._names.get(page, "")
        return f"{level}:{name}" if self._is_levelled else name

    def nodes(self) -> list[Row]:
        """Lay out places as Grafana's node graph wants them, with visits as main figure.

        The arc is the share of visits after which visitors left. Figures are texts:
        Grafana would write a number of visits as ``9.00``, and a dwell without its unit.
        """
        used = {place for edge, _ in self._edges for place in edge}
        used |= set(self._places) if not self._edges else set()
        ranked = sorted(used, key=lambda each: (each[0], -self._count(each), each[1]))
        return [self._node(place) for place in ranked]

    def _count(self, place: Place) -> float:
        return self._places[place].count * self._sample

    def _node(self, place: Place) -> Row:
        level, page = place
        passage = self._places[place]
        out = self._out.get(place, 0)
        left = self._exits.get(place, 0) / out if out else 0.0
        left = 1.0 if page == EXIT else left
        dwell = passage.dwell / passage.dwelled if passage.dwelled else None
        return {
            "id": self._id(place),
            "title": self._names.get(page, ""),
            "subTitle": f"step {level}" if self._is_levelled else "",
            "mainStat": write_figure(passage.count * self._sample, "short"),
            "secondaryStat": write_figure(dwell, "ms"),
            "arc__ok": 1 - left,
            "arc__exit": left,
            "visits": passage.count * self._sample,
            "sessions": passage.sessions * self._sample,
            "level": level,
        }

    def edges(self) -> list[Row]:
        """Lay out transitions as Grafana's node graph wants them."""
        most = max((each.count for _, each in self._edges), default=1)
        return [
            {
                "id": f"{row['source']} → {row['target']}",
                **row,
                "mainStat": write_figure(row["value"], "short"),
                "secondaryStat": write_figure(row["share"], "percentunit"),
                "thickness": 1 + 9 * passage.count / most,
            }
            for (edge, passage) in self._edges
            for row in (self._flow_row(edge, passage),)
        ]

    def flow(self) -> list[Row]:
        """Lay out transitions as source, target, value; most used first."""
        return [self._flow_row(edge, passage) for edge, passage in self._edges]

    def _flow_row(self, edge: Edge, passage: Passage) -> Row:
        source, target = edge
        return {
            "source": self._id(source),
            "target": self._id(target),
            "value": passage.count * self._sample,
            "sessions": passage.sessions * self._sample,
            "share": passage.count / self._out[source],
            "level": source[0],
        }

    def matrix(self) -> list[Row]:
        """Lay out a row a place and a column a next one; 0 where nobody went."""
        targets = sorted({edge[1] for edge, _ in self._edges})
        columns = [self._id(place) for place in targets]
        rows: dict[Place, Row] = {}
        for (source, target), passage in self._edges:
            blank = {"page": self._id(source), **dict.fromkeys(columns, 0)}
            row = rows.setdefault(source, blank)
            row[self._id(target)] = passage.count * self._sample
        return [rows[place] for place in sorted(rows)]


def lay_flow(
    found: FlowAnswer, layout: str, limit: int
) -> tuple[Row | list[Row], list[str]]:
    """Lay out a flow, and say what to know of it.

    Args:
        found: what was counted.
        layout: page, nodes, edges, matrix or flow.
        limit: edges shown, the most used.
    """
    graph = Graph(found, limit)
    if layout == "page":
        page = {
            "sessions": found.flow.sessions * found.sample,
            "pages": found.flow.pages,
            "sample": found.sample,
            "nodes": graph.nodes(),
            "edges": graph.edges(),
        }
        return page, graph.notices
    rows: list[Row] = {
        "nodes": graph.nodes,
        "edges": graph.edges,
        "matrix": graph.matrix,
        "flow": graph.flow,
    }[layout]()
    return rows, graph.notices
