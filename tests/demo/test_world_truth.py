"""The truth of a world, told by the simulation, agrees with what its lines say.

The reader here is made for good lines only, and shares nothing with the product's.
"""

from collections import defaultdict
from datetime import UTC, datetime
from urllib.parse import urlsplit

import orjson
import pytest
from xxhash import xxh3_64_intdigest

from app.demo.world import SessionTruth, World
from app.demo.world.text import read_pairs

NOON = 1_795_176_000_000
HOUR = 3_600_000
Cells = dict[str, str]
VITALS = ("ttfb", "fcp", "lcp", "cls", "inp", "fid")
MOVES = ("view_changed", "route_change", "faro.navigation")
OWN = {
    "cart_add",
    "code_copied",
    "login",
    "logout",
    "payment_failed",
    "purchase",
    "search",
    "timer_started",
    "wishlist_add",
}


def when(cells: Cells) -> int:
    """Read the time of a line, epoch ms."""
    text = cells["timestamp"].removesuffix(" UTC").removesuffix("Z")
    text = text.replace(" +0000", "").replace("T", " ")
    whole, _, fraction = text.partition(".")
    at = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int(at.timestamp()) * 1000 + int(fraction.ljust(3, "0"))


def read(dialect: str) -> tuple[dict[str, list[Cells]], dict[str, SessionTruth]]:
    """Make two hours of a world: its lines by session, and its truth."""
    here = World(5, sessions_per_hour=250, incident_ms=NOON, dialect=dialect)
    truths: list[SessionTruth] = []
    found = defaultdict(list)
    entries = here.history(NOON, NOON + HOUR, whole=True, on_session=truths.append)
    for entry in entries:
        is_json = entry.line.startswith("{")
        cells = orjson.loads(entry.line) if is_json else read_pairs(entry.line)
        cells["received"] = str(entry.ts)
        found[cells["session_id"]].append(cells)
    return found, {truth.session_id: truth for truth in truths}


@pytest.fixture(scope="module", params=["alloy", "otel"])
def told(
    request: pytest.FixtureRequest,
) -> list[tuple[list[Cells], SessionTruth]]:
    """Pair each session's lines with its truth."""
    lines, truths = read(request.param)
    assert lines.keys() == truths.keys()
    return [(lines[key], truths[key]) for key in truths]


Told = list[tuple[list[Cells], SessionTruth]]


def path(url: str) -> str:
    """Cut a URL to its path."""
    return urlsplit(url).path


def pages_of(lines: list[Cells]) -> list[str]:
    """Follow the pages: loads, then moves that change the path.

    The page on which a session is reset at logout is left at once, and not visited.
    """
    first = min(lines, key=when)
    is_rotated = "session_attr_previousSession" in first
    pages = [path(first["page_url"])] if is_rotated else []
    for cells in sorted(lines, key=when):
        name = cells.get("event_name")
        here = path(cells["page_url"])
        is_load = name == "session_resume" or (name == "session_start" and not pages)
        if is_load or (name in MOVES and here != pages[-1]):
            pages.append(here)
            if is_rotated and len(pages) == 2 and when(cells) - when(first) < 100:
                del pages[0]
    return pages


def test_counts_and_times(told: Told) -> None:
    """Lines, errors, actions, events and times are those of the lines."""
    for lines, truth in told:
        names = [cells.get("event_name", "") for cells in lines]
        kinds = [cells["kind"] for cells in lines]
        assert truth.lines == truth.stored == len(lines)
        assert truth.errors == kinds.count("exception")
        assert truth.actions == names.count("faro.user.action")
        assert truth.events == sum(name in OWN for name in names)
        assert truth.purchases == names.count("purchase")
        assert truth.resources == names.count("faro.performance.resource")
        assert truth.start_ms == min(map(when, lines))
        assert truth.end_ms == max(map(when, lines))
        assert truth.last_received_ns == max(int(c["received"]) for c in lines)


def test_pages(told: Told) -> None:
    """Pages, entry and loads are those that the lines walk through."""
    for lines, truth in told:
        loads = [
            c for c in lines if c.get("event_name") == "faro.performance.navigation"
        ]
        assert list(truth.pages) == pages_of(lines)
        assert truth.page_loads == len(loads)
        assert path(truth.entry_url) == truth.entry


def test_people_and_browsers(told: Told) -> None:
    """Users, browser and place are those that the lines carry."""
    for lines, truth in told:
        users = {
            (c.get("user_id", ""), c.get("user_email", ""), c.get("user_username", ""))
            for c in lines
        } - {("", "", "")}
        assert {(u.id, u.email, u.username) for u in truth.users} == users
        assert (truth.user is None) == (not users)
        last = lines[-1]
        assert truth.browser == last["browser_name"]
        assert truth.os == last["browser_os"]
        assert truth.version == last["app_version"]
        assert truth.environment == last["app_environment"]
        assert truth.language == last["browser_language"]
        assert last.get("geo_country_iso") == (truth.country if truth.has_geo else None)
        assert truth.previous_session == last.get("session_attr_previousSession", "")


def test_vitals(told: Told) -> None:
    """Every vital of every load is in a line, to the last digit."""
    for lines, truth in told:
        ours = {
            (name, value)
            for vitals in truth.vitals
            for name in VITALS
            if (value := getattr(vitals, name)) is not None
        }
        theirs = {
            (name, float(cells[f"value_{name}"]))
            for cells in lines
            for name in VITALS
            if f"value_{name}" in cells
        }
        assert ours == theirs


def test_delays_are_real(told: Told) -> None:
    """Lines are received some ms to some s after their event, 0.24 s in the median."""
    delays = sorted(
        int(c["received"]) / 10**6 - when(c) for lines, _ in told for c in lines
    )

    assert delays[0] >= 1
    assert 100 < delays[len(delays) // 2] < 500
    assert delays[len(delays) * 9 // 10] < 2000


def test_hashes_are_of_the_value() -> None:
    """The hash of an exception is the decimal xxh3-64 of its value."""
    lines, _ = read("alloy")
    thrown = [c for cs in lines.values() for c in cs if c["kind"] == "exception"]

    assert thrown
    for cells in thrown:
        assert cells["hash"] == str(xxh3_64_intdigest(cells["value"].encode()))


def test_batches_keep_their_order() -> None:
    """Items of a batch are 1 µs apart: logs, exceptions, measurements, events."""
    lines, _ = read("alloy")
    order = ["log", "exception", "measurement", "event"]
    for session in lines.values():
        before = session[0]
        for cells in session[1:]:
            if int(cells["received"]) - int(before["received"]) == 1000:
                assert order.index(before["kind"]) <= order.index(cells["kind"])
            before = cells


def test_worlds_are_colourful(told: Told) -> None:
    """There are buyers, bounces, failures, named and unnamed people of all devices."""
    truths = [truth for _, truth in told]

    assert {t.device for t in truths} == {"desktop", "mobile", "tablet"}
    assert {t.app for t in truths} == {"tealeaf-shop", "tealeaf-docs", "tealeaf-app"}
    assert {t.environment for t in truths} == {"production", "staging"}
    assert 0.2 < sum(t.views == 1 for t in truths) / len(truths) < 0.6
    assert any(t.purchases for t in truths)
    assert any(t.previous_session for t in truths)
    assert any(t.api_errors for t in truths)
    assert any(len(t.users) > 1 for t in truths)
    assert 0.2 < sum(t.user is not None for t in truths) / len(truths) < 0.6
