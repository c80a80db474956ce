"""Any log is read by a mapping, and visitors without session ids are told apart."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from app.events.decoder import Batch
from app.events.paths import Condition, Line, look_up
from app.events.paths import Path as Where
from app.model import Entry, Session
from app.settings import EventSettings, MappingSettings, SourceSettings
from tests.build import DAY, MINUTE, MS, SECOND
from tests.corpus.worlds import SECTIONS
from tests.driver import Index, decode
from tests.dump import dump

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/1 Safari/1"


def source(**mapping: Any) -> SourceSettings:
    """Return a mapped source."""
    return SourceSettings(
        name="logs", format="mapped", mapping=MappingSettings(**mapping), lag_ms=0
    )


NGINX = source(preset="nginx", salt="secret")


def access(
    at: int,
    path: str = "/",
    address: str = "203.0.113.9",
    status: int = 200,
    agent: str = CHROME,
) -> Entry:
    """Write a line of nginx, received a moment later; *at* is in seconds of the day."""
    minutes, seconds = divmod(at, 60)
    hours, minutes = divmod(minutes, 60)
    when = f"20/Nov/2026:{hours:02}:{minutes:02}:{seconds:02} +0000"
    line = f'{address} - - [{when}] "GET {path} HTTP/1.1" {status} 512 "https://a.example/x" "{agent}"'
    return Entry((DAY + at * SECOND) * MS + 5, line, {"job": "shop"}, {})


def found(source: SourceSettings, *entries: Entry, folder: Path) -> list[Session]:
    """Return the sessions of those lines, by start."""
    index = Index(folder / "skald.db", source)
    index.ingest(entries)
    rows = index.rows()
    sessions = [index.session(row["id"], row["app"]) for row in rows]
    index.close()
    return sessions


def test_access_log_gives_sessions_by_visitor(tmp_path: Path) -> None:
    """Address and agent tell visitors apart, half an hour of silence their sessions."""
    lines = [
        access(0), access(60, "/cart?token=x"), access(61, "/app.css"),
        access(70, "/api", status=500), access(60, agent=PHONE), access(3_000, "/late"),
    ]  # fmt: skip
    sessions = {
        tuple(view.page for view in each.views): each
        for each in found(NGINX, *lines, folder=tmp_path)
    }

    assert set(sessions) == {("/", "/cart"), ("/",), ("/late",)}
    long = sessions["/", "/cart"]
    assert (long.resources, long.failed_requests, long.events) == (2, 1, 4)
    assert (long.context.app, long.context.referrer) == ("shop", "a.example")
    assert (long.context.browser, long.context.os) == ("Chrome", "Linux")
    assert sessions["/",].context.device == "mobile"
    assert "token=x" not in repr(long)


def test_preset_reads_json_where_asked(tmp_path: Path) -> None:
    """A setting goes over its preset, also where it says what is so without one."""
    line = {
        "time_iso8601": "2026-11-20T00:00:10+00:00", "remote_addr": "203.0.113.9",
        "request_method": "GET", "request_uri": "/cart?x=1", "status": "200",
        "http_user_agent": CHROME,
    }  # fmt: skip
    entry = Entry((DAY + 11_000) * MS, orjson.dumps(line).decode(), {"job": "shop"}, {})

    (session,) = found(
        source(preset="nginx", line="json", salt="x"), entry, folder=tmp_path
    )

    assert [view.page for view in session.views] == ["/cart"]
    assert (session.key.app, session.start) == ("shop", DAY + 10_000)


def test_late_line_joins_two_sessions(tmp_path: Path) -> None:
    """What a pause divided is one session once a line fills the pause."""
    index = Index(tmp_path / "skald.db", NGINX)
    index.ingest([access(0), access(3_000)])
    before = index.rows()
    index.ingest([access(1_500)])
    after = index.rows()

    assert len(before) == 2
    assert [row["events"] for row in after] == [3]
    assert after[0]["id"] == before[0]["id"]


@profile(max_examples=25)
@given(
    times=st.lists(
        st.tuples(st.integers(0, 40_000), st.sampled_from("ab")),
        min_size=1,
        max_size=40,
    ),
    seed=st.integers(0, 99),
    batches=st.integers(1, 6),
)
def test_any_order_gives_the_same_sessions(
    tmp_path_factory: pytest.TempPathFactory,
    times: list[tuple[int, str]],
    seed: int,
    batches: int,
) -> None:
    """Sessions are a function of the set of lines; and they are what pauses divide."""
    lines = [access(at, address=f"203.0.113.{ord(who)}") for at, who in times]
    mixed = lines + lines[: len(lines) // 2]
    random.Random(seed).shuffle(mixed)
    folder = tmp_path_factory.mktemp("mapped")
    whole, pieces = (
        Index(folder / "whole.db", NGINX),
        Index(folder / "pieces.db", NGINX),
    )
    whole.ingest(lines)
    for n in range(batches):
        pieces.ingest(mixed[n::batches])
    rows = whole.rows()
    for index in (whole, pieces):
        index.close()
    one, other = dump(whole.path), dump(pieces.path)

    assert [one[name] for name in SECTIONS] == [other[name] for name in SECTIONS]
    assert len(rows) == pauses(times)


def pauses(times: list[tuple[int, str]]) -> int:
    """Count the sessions that pauses of half an hour make of visits."""
    count = 0
    for who in "ab":
        stamps = sorted(at for at, each in times if each == who)
        count += sum(
            n == 0 or at - stamps[n - 1] >= 1_800 for n, at in enumerate(stamps)
        )
    return count


def test_address_cannot_be_followed_past_the_rotation() -> None:
    """The same visitor has another key on the next day, and under another salt."""
    days = [access(0), access(86_400 - 1)]
    line = days[0].line.replace("20/Nov", "21/Nov")
    days.append(Entry(days[0].ts + 86_400 * 10**9, line, {"job": "shop"}, {}))
    one = decode(days, NGINX)
    other = decode(days[:1], source(preset="nginx", salt="another"))

    assert len(one.threads) == 2
    assert not set(one.threads) & set(other.threads)


def test_mapping_reads_logfmt_by_its_paths(tmp_path: Path) -> None:
    """Ids, times, attributes, labels, constants, and what each line is."""
    mapped = source(
        line="logfmt", app="=bank", session="sid", user="uid", time="ts", time_unit="s",
        environment="@env", page="page", attributes="plan=plan, region=@region",
        events=(
            EventSettings(kind="error", when="level = error", name="err", message="msg"),
            EventSettings(kind="view", when="page and level != debug"),
            EventSettings(kind="action", when="did", name="did", value="took", unit="s"),
        ),
    )  # fmt: skip
    at = DAY // 1000
    lines = [
        f"ts={at} sid=s1 uid=ann page=/a plan=pro",
        f"ts={at + 5}.5 sid=s1 uid=ann page=/b",
        f'ts={at + 7} sid=s1 level=error err=IOError msg="no disk"',
        f"ts={at + 9} sid=s1 did=pay took=1.5",
        "ts=1 sid=s1 nothing=here",
        'not logfmt "at all',
    ]
    labels = {"env": "staging", "region": "eu"}
    (session,) = found(
        mapped, *[Entry(DAY * MS, line, labels, {}) for line in lines], folder=tmp_path
    )

    assert (session.start, session.end) == (DAY, DAY + 9_000)
    assert [view.page for view in session.views] == ["/a", "/b"]
    assert session.error_list[0].message == "no disk"
    assert session.actions[0].name == "pay"
    assert dict(session.attributes) == {"session.plan": "pro", "session.region": "eu"}
    assert (session.context.user_id, session.context.environment) == ("ann", "staging")


def pairs(attributes: dict[str, str]) -> list[Any]:
    """Write attributes as OTLP does."""
    return [
        {"key": name, "value": {"stringValue": value}}
        for name, value in attributes.items()
    ]


@pytest.mark.parametrize("write", [dict, pairs])
def test_opentelemetry_records_are_read_from_line_and_metadata(
    tmp_path: Path, write: Callable[[dict[str, str]], Any]
) -> None:
    """Attributes stand in JSON, or in Loki's structured metadata; both tell sessions."""
    record = {
        "timeUnixNano": str(DAY * MS),
        "severityText": "ERROR",
        "body": {"stringValue": "it broke"},
        "attributes": write({"session.id": "s1", "user.id": "ann"}),
        "resource": {"attributes": write({"service.name": "shop"})},
    }
    metadata = {
        "session_id": "s1", "exception_type": "KeyError", "exception_message": "'x'",
    }  # fmt: skip
    (session,) = found(
        source(preset="otel"),
        Entry(DAY * MS, orjson.dumps(record).decode(), {}, {}),
        Entry((DAY + MINUTE) * MS, "KeyError: 'x'", {"service_name": "shop"}, metadata),
        folder=tmp_path,
    )

    assert (session.key.id, session.key.app) == ("s1", "shop")
    assert (session.errors, session.log_errors) == (1, 1)
    assert session.context.user_id == "ann"


def test_traefik_is_ready(tmp_path: Path) -> None:
    """Traefik's JSON says host, path, status and how long it took in ns."""
    line = {
        "ClientHost": "203.0.113.9", "RequestMethod": "GET", "RequestPath": "/api/x",
        "DownstreamStatus": 502, "Duration": 1_500_000, "RequestHost": "shop.example",
        "StartUTC": "2026-11-20T00:00:01.5Z", "request_User-Agent": CHROME,
    }  # fmt: skip
    (session,) = found(
        source(preset="traefik", salt="s"),
        Entry(DAY * MS, orjson.dumps(line).decode(), {}, {}),
        folder=tmp_path,
    )

    assert (session.key.app, session.start) == ("shop.example", DAY + 1_500)
    assert (session.failed_requests, session.view_count) == (1, 0)


@pytest.mark.parametrize(
    ("condition", "fields", "holds"),
    [
        ("status >= 500 and method = GET", {"status": "503", "method": "GET"}, True),
        ("status >= 500", {"status": "x"}, False),
        ("a.b", {"a": {"b": 0}}, True),
        ("a.b", {"a": {}}, False),
        (r"path !~ \.css$", {"path": "/x.css"}, False),
        ("a | b = 2", {"b": 2}, True),
        ("", {}, True),
    ],
)
def test_condition_holds(condition: str, fields: dict[str, Any], holds: bool) -> None:  # noqa: FBT001
    """Comparisons, patterns, presence, alternatives."""
    assert Condition(condition).holds(Line(fields, {})) is holds


def test_path_finds_names_with_dots() -> None:
    """``attributes.session.id`` is found however it is nested."""
    for fields in (
        {"attributes": {"session.id": 1}},
        {"attributes": {"session": {"id": 1}}},
        {"attributes.session.id": 1},
    ):
        assert look_up(fields, "attributes.session.id") == 1
    assert Where("@job | =none").text(Line({}, {"job": "x"})) == "x"
    assert decode([], NGINX) == Batch(shape="mapped", rule=decode([], NGINX).rule)
