"""`skald query` answers from the index, as a table or as JSON."""

import orjson
import pytest

from tests.commands.conftest import Skald


@pytest.fixture
def asked(skald: Skald) -> Skald:
    """Return the command, once there is an index."""
    assert skald("index", "--once").exit_code == 0
    return skald


def test_table_has_a_row_a_label_set(asked: Skald) -> None:
    """Grouped figures are a table, largest first."""
    done = asked("query", "sessions", "--by", "browser")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split() == ["browser", "sessions"]
    assert {"Chrome", "Firefox"} == {
        row.split()[0] for row in done.stdout.splitlines()[2:]
    }


def test_filters_narrow(asked: Skald) -> None:
    """Filters are written as in a URL, comparisons too."""
    done = asked("query", "sessions", "errors=>0", "app=shop", "--json")

    assert [orjson.loads(row)["sessions"] for row in done.stdout.splitlines()] == [1]


def test_steps_make_rows_over_time(asked: Skald) -> None:
    """With a step each bucket has its row, and a time that people can read."""
    done = asked("query", "sessions", "--step", "1h", "--from", "now-3h")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[2].split()[0].endswith(":00:00Z")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sesions",), "did you mean 'sessions'?"),
        (("sessions", "--by", "brwser"), "did you mean 'browser'?"),
        (("sessions", "brwser=x"), "brwser"),
        (("sessions", "--from", "never"), "never"),
        (("sessions", "page==~("), "pattern"),
    ],
)
def test_mistakes_are_said_with_what_was_meant(
    asked: Skald, arguments: tuple[str, ...], said: str
) -> None:
    """A wrong name is answered with the nearest, exit code 2, no traceback."""
    done = asked("query", *arguments)

    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_without_an_index_it_says_what_makes_one(skald: Skald) -> None:
    """Asking before the first run is answered with what to run."""
    done = skald("query", "sessions")

    assert done.exit_code == 2
    assert "`skald run` or `skald index` makes it" in done.output
