"""`skald index` reads what it is asked to, says how it went, and can be repeated."""

from pathlib import Path

import orjson
import pytest

from app import clock
from app.demo.standin import Fault, StandIn
from tests.build import MS
from tests.commands.conftest import Skald
from tests.corpus.corpus import entries

REPLAYED = {"from": "2026-11-20T09:00:00Z", "to": "2026-11-20T10:00:00Z"}


def asked(skald: Skald, *more: str) -> list[dict[str, object]]:
    """Ask for sessions, and return the rows."""
    done = skald("query", "sessions", "--json", *more)
    assert done.exit_code == 0, done.output
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def total(skald: Skald) -> float:
    """Return how many sessions there are."""
    (row,) = asked(skald)
    return float(str(row["sessions"]))


def test_once_reads_what_is_new_and_ends(skald: Skald) -> None:
    """With --once the command ends when there is nothing left."""
    done = skald("index", "--once")

    assert done.exit_code == 0, done.output
    assert "6 lines" in done.output
    assert total(skald) == 2
    assert "0 lines" in skald("index", "--once").output


def test_range_is_read_whatever_was_read_before(skald: Skald) -> None:
    """With --from a range is read; again, it changes nothing."""
    first = skald("index", "--from", "now-1h")
    again = skald("index", "--from", "now-1h", "--to", "now")

    assert first.exit_code == again.exit_code == 0, first.output
    assert "6 new events" in first.output
    assert "0 new events, 6 known" in again.output
    assert total(skald) == 2


def test_empty_range_reads_nothing(skald: Skald) -> None:
    """A range without lines is no error."""
    done = skald("index", "--from", "now-3h", "--to", "now-2h")

    assert done.exit_code == 0, done.output
    assert "0 lines" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "now", "--to", "now-1h"), "is not before"),
        (("--from", "yesterday"), "yesterday"),
        (("--source", "fargo", "--once"), "no source 'fargo'; configured: faro"),
        (("--replay", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    skald: Skald, arguments: tuple[str, ...], said: str
) -> None:
    """Mistakes are said in one line, with exit code 2 and no traceback."""
    done = skald("index", *arguments)

    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_file_can_be_replayed(skald: Skald, tmp_path: Path) -> None:
    """Lines of a file are read as if a Loki held them."""
    path = tmp_path / "lines.jsonl"
    rows = [
        {"ts_ns": each.ts, "labels": each.labels, "line": each.line}
        for each in entries("lines")
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    done = skald("index", "--replay", str(path))
    by_app = asked(
        skald, "--by", "app", "--from", REPLAYED["from"], "--to", REPLAYED["to"]
    )

    assert done.exit_code == 0, done.output
    assert f"{len(rows)} lines" in done.output
    assert {row["app"]: row["sessions"] for row in by_app} == {
        "tealeaf-shop": 29,
        "tealeaf-docs": 4,
    }


def test_file_that_is_none_is_refused_by_line(skald: Skald, tmp_path: Path) -> None:
    """A broken file is named, with the number of the line."""
    path = tmp_path / "lines.jsonl"
    path.write_text('{"ts_ns": 1, "labels": {}, "line": "x"}\nnot json\n', "utf-8")
    done = skald("index", "--replay", str(path))

    assert done.exit_code == 2
    assert "lines.jsonl:2" in done.output


def test_loki_s_refusal_is_shown_in_its_words(skald: Skald, loki: StandIn) -> None:
    """A 400 of Loki ends the command with Loki's own text."""
    loki.faults = [Fault(status=400, body="parse error: unexpected moon")]
    done = skald("index", "--once")

    assert done.exit_code == 2
    assert "parse error: unexpected moon" in done.output


def test_loki_away_is_said(skald: Skald) -> None:
    """A Loki that does not answer is named."""
    done = skald("index", "--once", url="http://127.0.0.1:9")

    assert done.exit_code == 2
    assert "127.0.0.1:9" in done.output


def test_lines_that_are_not_used_are_counted(skald: Skald, loki: StandIn) -> None:
    """What was dropped is said, by reason."""
    at = (clock.now() - 1_000) * MS
    loki.push({"job": "faro"}, [(at, "connection reset by peer")])
    done = skald("index", "--once")

    assert "1 lines not used: not_faro" in done.output
