"""A world's lines are, byte for byte, what real receivers write."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.world import World
from app.demo.world.text import (
    go_float,
    go_time,
    iso_time,
    json_float,
    json_line,
    pairs,
    quote,
    read_pairs,
    unquote,
)

NOON = 1_795_176_000_000
DATA = Path(__file__).parents[1] / "data" / "faro"
FILES = {"alloy": "alloy.jsonl", "otel": "otel.jsonl"}
VITALS = ("ttfb", "fcp", "lcp", "cls", "inp", "fid")
PAGE = (
    "sdk_",
    "app_",
    "user_",
    "session_",
    "page_",
    "browser_",
    "view_",
    "os_",
    "geo_",
)


def real(name: str) -> list[str]:
    """Read the lines that a real SDK and receiver wrote."""
    rows = (DATA / name).read_bytes().splitlines()
    return [orjson.loads(row)["line"] for row in rows]


@cache
def made(dialect: str) -> list[str]:
    """Write the lines of half an hour."""
    here = World(1, sessions_per_hour=220, dialect=dialect, incident_ms=NOON)
    end = NOON + 30 * 60_000
    return [entry.line for entry in here.history(NOON, end, whole=True)]


def sort_of(cells: dict[str, str]) -> str:
    """Name what a line is about."""
    if cells["kind"] == "measurement":
        return next((v for v in VITALS if f"value_{v}" in cells), cells["type"])
    return cells.get("event_name", cells["kind"])


def own_keys(cells: dict[str, str]) -> set[str]:
    """List the keys of the item itself, without those of page, user and browser."""
    return {key for key in cells if not key.startswith((*PAGE, "action_", "trace"))}


@pytest.mark.parametrize("name", FILES.values())
def test_real_lines_are_written_alike(name: str) -> None:
    """A real line, read and written again, is the same bytes."""
    for line in real(name):
        assert pairs(read_pairs(line).items()) == line


def test_real_json_lines_are_written_alike() -> None:
    """A real logfmt line turns into the JSON that Alloy writes for the same item."""
    ours = {json_line(line) for line in real("alloy.jsonl")}

    assert set(real("alloy-json.jsonl")) <= ours


@pytest.mark.parametrize("dialect", FILES)
def test_our_lines_are_canonical(dialect: str) -> None:
    """Our templates quote and order as the encoder does, which real lines vouch for."""
    for line in made(dialect):
        assert pairs(read_pairs(line).items()) == line


@pytest.mark.parametrize("dialect", FILES)
def test_our_keys_are_in_real_order(dialect: str) -> None:
    """Keys stand in the order in which they stand in real lines of the same sort."""
    orders: dict[str, list[list[str]]] = defaultdict(list)
    for line in real(FILES[dialect]):
        cells = read_pairs(line)
        orders[sort_of(cells)].append(list(cells))
    seen = set()
    for line in made(dialect):
        cells = read_pairs(line)
        seen.add(sort_of(cells))
        for order in orders[sort_of(cells)]:
            common = [key for key in order if key in cells]
            assert [key for key in cells if key in order] == common
    assert {"ttfb", "lcp", "exception", "log", "faro.user.action", "purchase"} <= seen


@pytest.mark.parametrize("dialect", FILES)
def test_our_items_have_the_real_keys(dialect: str) -> None:
    """What the SDK writes has the keys that it really has: no more and no fewer."""
    ever: dict[str, set[str]] = defaultdict(set)
    always: dict[str, set[str]] = {}
    for line in real(FILES[dialect]):
        cells = read_pairs(line)
        sort, keys = sort_of(cells), own_keys(cells)
        ever[sort] |= keys
        always[sort] = always.get(sort, keys) & keys
    for line in made(dialect):
        cells = read_pairs(line)
        sort, keys = sort_of(cells), own_keys(cells)
        if sort in VITALS or sort.startswith(("faro.perf", "faro.user", "session_")):
            assert always[sort] <= keys <= ever[sort] | shifts(sort)


def shifts(sort: str) -> set[str]:
    """List what web-vitals adds to a page that shifts; the recorded ones did not."""
    if sort != "cls":
        return set()
    names = ("largest_shift_time", "largest_shift_value")
    raw = {f"value_{name}" for name in names}
    return {*names, *raw, "context_largest_shift_target"}


def test_json_lines_are_flat_objects() -> None:
    """In JSON all values are strings, but for the numbers of value_*; keys sorted."""
    here = World(1, sessions_per_hour=60, dialect="json", incident_ms=NOON)
    for line in (e.line for e in here.history(NOON, NOON + 600_000, whole=True)):
        cells = orjson.loads(line)
        assert list(cells) == sorted(cells)
        numbers = {k for k, v in cells.items() if not isinstance(v, str)}
        assert numbers == {key for key in cells if key.startswith("value_")}


def test_only_otel_lines_tell_places() -> None:
    """Only the OpenTelemetry receiver tells countries, and brands of browsers."""
    assert not any("geo_" in line or "browser_brand" in line for line in made("alloy"))
    assert all("geo_country_iso=" in line for line in made("otel"))


def test_otel_kinds_are_metadata() -> None:
    """Over OTLP the labels name the service; kind, version, hash are metadata."""
    here = World(1, sessions_per_hour=100, dialect="otel", incident_ms=NOON)
    for entry in here.history(NOON, NOON + 10 * 60_000, whole=True):
        kind = read_pairs(entry.line)["kind"]
        assert {"service_name", "deployment_environment"} <= entry.labels.keys()
        assert "kind" not in entry.labels
        assert entry.metadata["kind"] == kind
        assert ("hash" in entry.metadata) == (kind == "exception")


def values() -> Iterator[st.SearchStrategy[str]]:
    """Yield strategies for what people may put into a value."""
    yield st.text(st.characters(exclude_categories=["Cs"]))
    yield st.text(st.sampled_from('a="\\\n\t\x00 é茶'))


@given(st.one_of(*values()))
def test_values_read_back(value: str) -> None:
    """What is quoted reads back; what is not quoted needs no quotes."""
    told = quote(value)

    back = unquote(told) if told.startswith('"') else told
    assert back == value
    assert " " not in told or told.startswith('"')


@pytest.mark.parametrize(
    ("ms", "go", "iso"),
    [
        (
            1795166159886,
            "2026-11-20 09:15:59.886 +0000 UTC",
            "2026-11-20T09:15:59.886Z",
        ),
        (1795166203720, "2026-11-20 09:16:43.72 +0000 UTC", "2026-11-20T09:16:43.72Z"),
        (1795166203000, "2026-11-20 09:16:43 +0000 UTC", "2026-11-20T09:16:43Z"),
    ],
)
def test_times_trim_their_fraction(ms: int, go: str, iso: str) -> None:
    """Go drops the zeros at the end of a fraction, and an empty fraction."""
    assert (go_time(ms), iso_time(ms)) == (go, iso)


@pytest.mark.parametrize(
    ("value", "logfmt", "json"),
    [
        (316.0, "316", "316"),
        (6.900000000372529, "6.900000000372529", "6.900000000372529"),
        (0.00003, "3e-05", "0.00003"),
        (1e-07, "1e-07", "1e-7"),
        (1e20, "100000000000000000000", "100000000000000000000"),
    ],
)
def test_numbers_are_as_go_prints_them(value: float, logfmt: str, json: str) -> None:
    """Numbers take Go's shortest form, which differs between ``%v`` and JSON."""
    assert go_float(value) == logfmt
    assert json_float(logfmt) == json
