"""What spans of OpenTelemetry say of the trace, wherever its attributes stand."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from app.model import Entry
from app.settings import SourceSettings
from tests.driver import Index

SOURCE = SourceSettings(name="lf", format="langfuse")
SPAN = {
    "trace_id": "t1",
    "span_id": "o1",
    "start_time_unix_nano": "1795168800000000000",
}
SAID = {"session.id": "s1", "gen_ai.operation.name": "chat"}
META = "langfuse.trace.metadata"
WAYS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "one attribute a key": (
        SPAN | {"attributes": SAID | {f"{META}.tier": "pro", f"{META}.langfuse_user_id": "u"}},
        {},
    ),
    "one attribute of JSON": (
        SPAN | {"attributes": SAID | {META: '{"tier":"pro","langfuse_session_id":"s1"}'}},
        {},
    ),
    "pairs of OTLP": (
        SPAN
        | {
            "attributes": [
                {"key": name, "value": {"stringValue": value}}
                for name, value in (SAID | {f"{META}.tier": "pro"}).items()
            ]
        },
        {},
    ),
    "of the resource": (
        SPAN | {"attributes": SAID, "resource": {"attributes": {f"{META}.tier": "pro"}}},
        {},
    ),
    "structured metadata": (
        {},
        {
            "trace_id": "t1", "span_id": "o1", "session_id": "s1",
            "gen_ai_operation_name": "chat", "langfuse_trace_metadata_tier": "pro",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_metadata_of_a_trace_are_attributes(way: str, tmp_path: Path) -> None:
    """They filter and group sessions; ids among them are read as ids, and not kept."""
    fields, metadata = WAYS[way]
    index = Index(tmp_path / "skald.db", SOURCE)
    line = orjson.dumps(fields).decode()
    index.ingest(
        [Entry(1_795_168_801 * 10**9, line, {"service_name": "chat"}, metadata)]
    )

    found = index.session("s1", "chat")

    assert dict(found.attributes) == {"session.tier": "pro"}
    assert (found.figures.generations, len(found.traces)) == (1, 1)
    index.close()


def test_input_of_a_trace_is_not_what_it_used(tmp_path: Path) -> None:
    """Somebody may ask "42"; that is no number of tokens."""
    index = Index(tmp_path / "skald.db", SOURCE)
    body = {"id": "t1", "sessionId": "s1", "name": "ask", "input": "42", "output": 7}
    line = {"id": "e", "type": "trace-create", "timestamp": "2026-11-20T10:00:00Z"}
    said = orjson.dumps(line | {"body": body}).decode()
    index.ingest([Entry(1_795_168_801 * 10**9, said, {"service_name": "chat"}, {})])

    figures = index.session("s1", "chat").figures

    assert (figures.tokens_in, figures.tokens_out, figures.tokens) == (0, 0, 0)
    index.close()
