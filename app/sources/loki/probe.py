"""Find out whether a Loki can be read, and say what to do where it cannot."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.errors import SourceError, SourceRefused
from app.model import Entry
from app.sources.loki.answer import STRANGE, read_result
from app.sources.loki.client import Client
from app.sources.loki.logql import Query
from app.sources.loki.pager import QUERY_RANGE

NEWEST = 20  # lines that are shown
HOUR = 3_600_000_000_000  # ns


class Check(NamedTuple):
    """One thing that was tried."""

    name: str
    is_good: bool
    detail: str
    remedy: str = ""  # what to do when it is not good


class Probe(NamedTuple):
    """What was tried, and the newest entries, newest first."""

    checks: list[Check]
    entries: list[Entry]


def probe_loki(client: Client, query: Query, now: int) -> Probe:
    """Try what reading this Loki takes; never raises for what it finds.

    Args:
        client: asks; with few retries, since somebody waits.
        query: selects the entries.
        now: current time, ns.
    """
    entries: list[Entry] = []

    def newest() -> Check:
        entries.extend(_newest_entries(client, query, now))
        return Check(
            "entries",
            bool(entries),
            f"{len(entries)} in the last hour" if entries else "none in the last hour",
            "" if entries else "does the collector send, and do the clocks agree?",
        )

    tries: list[tuple[str, Callable[[], Check]]] = [
        ("ready", lambda: _check_ready(client)),
        ("version", lambda: _check_version(client)),
        ("streams", lambda: _check_streams(client, query, now)),
        ("entries", newest),
    ]
    return Probe(list(_run(tries)), entries)


def _run(tries: list[tuple[str, Callable[[], Check]]]) -> Iterator[Check]:
    for name, attempt in tries:
        try:
            yield attempt()
        except SourceError as err:
            what, _, remedy = str(err).rpartition(": ")
            yield Check(name, is_good=False, detail=what or remedy, remedy=remedy)


def _check_ready(client: Client) -> Check:
    said = client.get_text("/ready").strip()
    good = said == "ready"
    remedy = "" if good else "check loki.url: this may not be a Loki"
    return Check("ready", good, said[:80] or "(no text)", remedy)


def _check_version(client: Client) -> Check:
    body, _ = client.get_json("/loki/api/v1/status/buildinfo", {})
    if not isinstance(body, dict):
        raise SourceRefused(STRANGE.format("version"))
    return Check("version", is_good=True, detail=body.get("version") or "not stated")


def _check_streams(client: Client, query: Query, now: int) -> Check:
    params: dict[str, str | int] = {
        "match[]": f"{{{query.matchers}}}",
        "start": now - HOUR,
        "end": now,
    }
    body, _ = client.get_json("/loki/api/v1/series", params)
    try:
        count = len(body["data"] or [])
    except (KeyError, TypeError) as err:
        raise SourceRefused(STRANGE.format("list of series")) from err
    if count:
        return Check("streams", is_good=True, detail=f"{count} match {query}")
    return Check(
        "streams",
        is_good=False,
        detail=f"none matches {query} in the last hour",
        remedy="check the source's selector and loki.tenant",
    )


def _newest_entries(client: Client, query: Query, now: int) -> list[Entry]:
    params: dict[str, str | int] = {
        "query": str(query),
        "start": now - HOUR,
        "end": now,
        "limit": NEWEST,
        "direction": "backward",
    }
    body, _ = client.get_json(QUERY_RANGE, params)
    try:
        found = [
            Entry(int(value[0]), value[1], stream["stream"], _metadata(value))
            for stream in read_result(body, "streams")
            for value in stream["values"]
        ]
    except (KeyError, TypeError, ValueError, IndexError) as err:
        raise SourceRefused(STRANGE.format("streams of entries")) from err
    return sorted(found, key=lambda entry: -entry.ts)


def _metadata(value: list[Any]) -> dict[str, str]:
    extra = value[2] if len(value) > 2 else {}  # noqa: PLR2004 - ts, line, extra
    metadata: dict[str, str] = extra.get("structuredMetadata", {})
    return metadata
