"""What one version of a trace said stays, when a later one does not say it."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from app.model import Entry
from app.settings import HOUR, SourceSettings
from tests.build import DAY, MS
from tests.driver import Index

SOURCE = SourceSettings(name="llm", format="langfuse", lag_ms=0, horizon_ms=HOUR)
LABELS = {"service_name": "chat"}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Return an index of a source of traces."""
    made = Index(tmp_path / "skald.db", SOURCE)
    yield made
    made.close()


def told(number: int, **body: object) -> Entry:
    """Build one version of the trace ``t``."""
    at = DAY + number * 1_000
    stamp = f"2026-11-20T00:00:{number:02}.000Z"
    envelope = {
        "id": f"e{number}",
        "timestamp": stamp,
        "type": "trace-create",
        "body": {"id": "t", "timestamp": "2026-11-20T00:00:00.000Z", **body},
    }
    return Entry(at * MS, orjson.dumps(envelope).decode(), LABELS, {})


def test_update_keeps_metadata_and_release(index: Index) -> None:
    """An update that tells of the output alone leaves tier, release and tags."""
    metadata = {"user_tier": "pro", "url": "https://a.example/b?token=secret"}
    first = told(1, sessionId="s", release="r1", tags=["beta"], metadata=metadata)
    index.feed(first, told(2, output="done"))
    index.backfill()

    session = index.session("s", "chat")
    assert dict(session.attributes) == {
        "session.user_tier": "pro",
        "session.url": "https://a.example/b?token=",
    }
    assert session.context.version == "r1"
    assert session.figures.tags == ("beta",)


def test_later_version_wins(index: Index) -> None:
    """Each attribute is that of the newest version which has it, in any order."""
    index.feed(
        told(1, sessionId="s", metadata={"user_tier": "free", "topic": "tea"}),
        told(2, metadata={"user_tier": "pro"}),
    )
    index.ingest(reversed(index.entries))

    assert dict(index.session("s", "chat").attributes) == {
        "session.user_tier": "pro",
        "session.topic": "tea",
    }
