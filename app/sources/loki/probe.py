"""Find out whether a Loki can be read, and say what to do where it cannot."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.errors import SourceError, SourceRefused
from app.model import Entry
from app.sources.loki.answer import STRANGE, read_result
from app.sources.loki.client import Client
from app.sources.loki.logql import Query
from app.sources.loki.pager import QUERY_RANGE

NEWEST = 100  # lines that are looked at
ENOUGH = 20  # of fewer, older ones are looked at as well
HOUR = 3_600_000_000_000  # ns
SPANS = {  # looked at until enough is found; Loki refuses more than 30 days
    "in the last hour": HOUR,
    "in the last day": 24 * HOUR,
    "in the last week": 7 * 24 * HOUR,
    "in the last 30 days": 30 * 24 * HOUR,
}
NOWHERE = list(SPANS)[-1]


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
        is_live = False
        for when, span in SPANS.items():  # noqa: B007 - the last one is told
            entries[:] = _newest_entries(client, query, now - span, now)
            is_live = is_live or (span == HOUR and bool(entries))
            if len(entries) >= ENOUGH:
                break
        if entries:
            return _tell_newest(len(entries), when, is_live=is_live)
        return Check(
            "entries",
            is_good=False,
            detail=f"none {when}",
            remedy="does the collector send, and do the clocks agree?",
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
    for when, span in SPANS.items():
        if count := _count_streams(client, query, now - span, now):
            return Check(
                "streams", is_good=True, detail=f"{count} match {query} {when}"
            )
    return Check(
        "streams",
        is_good=False,
        detail=f"none matches {query} {NOWHERE}",
        remedy="check the source's selector and loki.tenant",
    )


def _count_streams(client: Client, query: Query, start: int, end: int) -> int:
    params: dict[str, str | int] = {
        "match[]": f"{{{query.matchers}}}",
        "start": start,
        "end": end,
    }
    body, _ = client.get_json("/loki/api/v1/series", params)
    try:
        return len(body["data"] or [])
    except (KeyError, TypeError) as err:
        raise SourceRefused(STRANGE.format("list of series")) from err


def _tell_newest(count: int, when: str, *, is_live: bool) -> Check:
    if is_live:
        return Check("entries", is_good=True, detail=f"looked at {count} {when}")
    detail = f"looked at {count} {when}, none of the last hour"
    remedy = "if there should be newer ones, does the collector send?"
    return Check("entries", is_good=True, detail=detail, remedy=remedy)


def _newest_entries(client: Client, query: Query, start: int, end: int) -> list[Entry]:
    params: dict[str, str | int] = {
        "query": str(query),
        "start": start,
        "end": end,
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
