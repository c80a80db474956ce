"""A trace belongs to the session that its newest version names; all of it moves there."""

from itertools import permutations
from pathlib import Path

import orjson
import pytest

from app.model import Entry
from app.settings import SourceSettings
from tests.corpus.worlds import SECTIONS
from tests.driver import Index
from tests.dump import dump

LABELS = {"service_name": "chat"}
SOURCE = SourceSettings(name="lf", format="langfuse", lag_ms=0)


def told(n: int, kind: str, **body: object) -> Entry:
    """Build an envelope; *n* is the second at which it was made."""
    at = f"2026-11-20T10:00:{n:02}.000Z"
    line = {"id": f"e{n}", "timestamp": at, "type": kind, "body": body}
    return Entry((1_795_168_800 + n) * 10**9, orjson.dumps(line).decode(), LABELS, {})


LINES = (
    told(1, "trace-create", id="t1", name="a", sessionId="s1"),
    told(2, "span-create", id="o1", traceId="t1", startTime="2026-11-20T10:00:02Z"),
    told(3, "trace-create", id="t1", sessionId="s2"),
    told(4, "trace-create", id="t2", name="b", sessionId="s2"),
    told(5, "span-create", id="o2", traceId="t3", startTime="2026-11-20T10:00:05Z"),
)


@pytest.mark.parametrize("order", [*permutations(range(5))][::7])
def test_trace_moves_with_its_newest_version(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    """In any order, one line at a time: one session, and one trace that is nobody's."""
    index = Index(tmp_path / "skald.db", SOURCE)
    for n in order:
        index.ingest([LINES[n]])
    whole = Index(tmp_path / "whole.db", SOURCE)
    whole.ingest(LINES)
    rows, orphans = index.rows(), index.writer.expire_strands(1 << 53)
    for each in (index, whole):
        each.close()
    one, other = dump(index.path), dump(whole.path)

    assert [(row["id"], row["traces"], row["observations"]) for row in rows] == [
        ("s2", 2, 1)
    ]
    assert orphans == 1
    assert [one[name] for name in SECTIONS] == [other[name] for name in SECTIONS]


def test_trace_that_moves_takes_along_where_it_happened(tmp_path: Path) -> None:
    """Its events refer to what only the session that it leaves knows."""
    index = Index(tmp_path / "skald.db", SOURCE)
    index.ingest([told(1, "trace-create", id="t1", sessionId="s1", release="1.0")])

    index.ingest([told(2, "trace-create", id="t1", sessionId="s2", userId="u")])

    moved = index.session("s2", "chat")
    assert (moved.context.version, moved.users) == ("1.0", ("u",))
    assert [row["id"] for row in index.rows()] == ["s2"]
    index.close()
