"""What the indexer notes for rules where lines name a visitor or a trace, no session."""

from pathlib import Path

import orjson
import pytest

from app.model import Entry
from app.settings import MappingSettings, SourceSettings
from app.store import open_rulebook
from tests.driver import Index
from tests.ruler.driver import minute

MS = 1_000_000  # ns
VISITS = SourceSettings(
    name="web",
    format="mapped",
    lag_ms=0,
    mapping=MappingSettings(preset="nginx", line="json", salt="s", user="user"),
)
TRACES = SourceSettings(name="chat", format="langfuse", lag_ms=0)


def visit(number: float, user: str = "u1") -> Entry:
    """Build a line of an access log, of that minute of the day."""
    at = minute(number)
    fields = {"time": at, "time_iso8601": at, "user": user, "method": "GET"}
    line = orjson.dumps(fields | {"uri": "/", "request_method": "GET", "status": 200})
    return Entry(at * MS, line.decode(), {"job": "web"}, {})


def span(number: float, trace: str, session: str = "", version: int = 0) -> Entry:
    """Build what begins and ends in that minute: a trace that names a session, or a step."""
    at = minute(number)
    kind, own = ("trace", trace) if session else ("span", f"{trace}-{number}")
    times = {"timestamp": at} if session else {"startTime": at, "endTime": at}
    body = {"id": own, "traceId": trace, "sessionId": session or None} | times
    line = {
        "id": f"{own}-{session}-{version}", "timestamp": at + version,
        "type": f"{kind}-create", "body": body,
    }  # fmt: skip
    return Entry(
        (at + version) * MS, orjson.dumps(line).decode(), {"service_name": "x"}, {}
    )


BY_VISITOR = [  # what is held, what comes after slot 100 was evaluated → minutes noted
    ("what happened after the slot is no past", [90, 95], [101], []),
    ("a late line counts for its own minute", [60, 85], [75], [(75, 75)]),
    ("a late first line moves its session", [60, 70], [50], [(50, 70)]),
    ("a late line that joins two changes the second", [10, 60], [35], [(35, 60)]),
    ("said twice is said once", [60, 90], [60], []),
]


@pytest.mark.parametrize(
    ("held", "new", "noted"),
    [each[1:] for each in BY_VISITOR],
    ids=[each[0] for each in BY_VISITOR],
)
def test_notes_of_derived_sessions(
    held: list[int], new: list[int], noted: list[tuple[int, int]], tmp_path: Path
) -> None:
    """Only what changes an evaluated past is noted, however long the session is."""
    index = Index(tmp_path / "skald.db", VISITS)
    index.ingest(map(visit, held))

    assert notes(index, [visit(each) for each in new]) == noted


BY_TRACE = [
    ("a step after the slot is no past", [span(90, "t", "s")], [span(101, "t")], []),
    (
        "a late step counts for its own minute",
        [span(60, "t", "s"), span(90, "t")],
        [span(75, "t")],
        [(75, 75)],
    ),
    (
        "what waited counts once its session is known",
        [span(60, "t"), span(80, "t")],
        [span(101, "t", "s")],
        [(60, 100)],
    ),
    (
        "a trace that moves changes both of its sessions",
        [span(50, "t", "s"), span(70, "u", "s"), span(90, "v", "r")],
        [span(50, "t", "r", version=1)],
        [(50, 90)],
    ),
]


@pytest.mark.parametrize(
    ("held", "new", "noted"),
    [each[1:] for each in BY_TRACE],
    ids=[each[0] for each in BY_TRACE],
)
def test_notes_of_traces(
    held: list[Entry], new: list[Entry], noted: list[tuple[int, int]], tmp_path: Path
) -> None:
    """Events count where their trace's session is, as soon as that is known."""
    index = Index(tmp_path / "skald.db", TRACES)
    index.ingest(held)

    assert notes(index, new) == noted


def notes(index: Index, new: list[Entry]) -> list[tuple[int, int]]:
    """Let lines come after slot 100 was evaluated; return what is noted, in minutes."""
    book = open_rulebook(index.settings)
    book.begin("g", minute(100))
    index.ingest(new)
    found = [
        ((each.since - minute(0)) // 60_000, (each.until - minute(0)) // 60_000)
        for each in book.dirt()
    ]
    book.close()
    index.close()
    return found
