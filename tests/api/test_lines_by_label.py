"""Raw lines of a session that name it in their labels or structured metadata alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from app import create_app
from app.demo.standin import StandIn
from app.model import Entry
from app.settings import EventSettings, LokiSettings, MappingSettings, SourceSettings
from tests.build import DAY, MINUTE, MS
from tests.driver import Index
from tests.worlds import PLAIN

Build = Callable[[int, str], Entry]


def clm(n: int, session: str) -> Entry:
    """Build a visit; every other line says in its labels whose it is."""
    at = DAY + n * MINUTE
    fields = {"event": "component_visit", "component_hash": f"c{n}", "timestamp": at}
    labels = {"job": "clm"}
    (labels if n % 2 else fields)["session_id"] = session
    return Entry(at * MS, orjson.dumps(fields).decode(), labels, {})


def record(n: int, session: str) -> Entry:
    """Build a log record; Loki keeps its attributes beside the line."""
    labels, metadata = {"job": "clm", "service_name": "x"}, {"session_id": session}
    return Entry((DAY + n * MINUTE) * MS, f"record {n}", labels, metadata)


def span(n: int, session: str) -> Entry:
    """Build a record of a span; only the first of a trace names the session."""
    metadata = {"trace_id": f"t-{session}", "span_id": f"o{n}", "gen_ai_system": "x"}
    metadata |= {} if n % 3 else {"session_id": session}
    labels = {"job": "clm", "service_name": "x"}
    return Entry((DAY + n * MINUTE) * MS, f"span {n}", labels, metadata)


WAYS: dict[str, tuple[Build, dict[str, Any]]] = {
    "labels of the tracker": (clm, {"format": "clm"}),
    "metadata of records": (
        record,
        {"format": "mapped", "mapping": MappingSettings(preset="otel")},
    ),
    "metadata of spans": (span, {"format": "langfuse"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_lines_are_found(way: str, tmp_path: Path) -> None:
    """Page by page, each once and in order, and no other session's."""
    build, more = WAYS[way]
    with StandIn(limits=PLAIN) as loki:
        entries = [build(n, "s.1") for n in range(9)] + [build(3, "sx1")]
        loki.load(entries)
        source = SourceSettings(
            name="x", selector='{job="clm"}', loki=LokiSettings(url=loki.url), **more
        )
        index = Index(tmp_path / "skald.db", source)
        index.ingest(entries)
        client = create_app(index.settings).test_client()
        (app,) = {row["app"] for row in index.rows()}

        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            asked = {"limit": 2, "cursor": cursor}
            path = f"/api/v1/sessions/{app}/s.1/logs"
            page = client.get(path, query_string=asked).get_json()
            found += [row["body"] for row in page["items"]]
            cursor = page["next_cursor"]
        index.close()

    assert found == [each.line for each in entries[:9]]


def answers(tmp_path: Path, entries: list[Entry], **more: Any) -> list[dict[str, Any]]:
    """Return what is found in Loki of each session, in order of their starts."""
    with StandIn(limits=PLAIN) as loki:
        loki.load(entries)
        source = SourceSettings(
            name="x", selector='{job="clm"}', loki=LokiSettings(url=loki.url), **more
        )
        index = Index(tmp_path / "skald.db", source)
        index.ingest(entries)
        client = create_app(index.settings).test_client()
        rows = sorted(index.rows(), key=lambda row: row["start"])
        index.close()
        paths = [f"/api/v1/sessions/{row['app']}/{row['id']}/logs" for row in rows]
        return [client.get(path).get_json() for path in paths]


@pytest.mark.parametrize("way", [{"stitch_ms": 30 * MINUTE}, {"split_ms": 30 * MINUTE}])
def test_lines_of_stitched_and_split_page_loads_are_found(
    tmp_path: Path, way: dict[str, int]
) -> None:
    """By the page load that they name, of which the session's own name is made."""
    entries = [clm(n, load) for n, load in ((0, "a"), (2, "a"), (4, "a"))]

    (found,) = answers(tmp_path, entries, format="clm", **way)

    assert [row["body"] for row in found["items"]] == [each.line for each in entries]


def test_that_no_line_names_a_derived_session_is_said(tmp_path: Path) -> None:
    """An empty answer has its reason."""
    line = '{"addr": "203.0.113.9", "path": "/"}'
    mapping = MappingSettings(
        url="path", who="addr", salt="s", events=(EventSettings(kind="view"),)
    )
    entry = Entry(DAY * MS, line, {"job": "clm"}, {})

    (found,) = answers(tmp_path, [entry], format="mapped", mapping=mapping)

    assert found["items"] == []
    assert "derived from pauses" in found["notices"][0]
