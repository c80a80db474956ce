"""`skald query` takes SessionQL."""

from contextlib import closing
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from app.commands.base import main
from app.settings import Settings
from app.store import open_writer
from tests.api.shop import END, START, fill
from tests.build import HOUR


@pytest.fixture
def index_file(tmp_path: Path) -> Path:
    """Return an index that can be counted by hand."""
    fill(tmp_path / "skald.db")
    return tmp_path / "skald.db"


def run(index: Path, *arguments: str) -> Result:
    """Run the command over the six hours of the index."""
    return CliRunner().invoke(
        main,
        ["query", *arguments, "--from", str(START), "--to", str(END), "--json"],
        env={"SKALD_INDEX": str(index)},
        standalone_mode=True,
    )


def test_figures_are_rows(index_file: Path) -> None:
    """A query for figures prints a row a label set."""
    told = run(index_file, "{ } | count_over_time() by (app) | topk(1)")

    assert told.output == '{"app":"shop","Value":9}\n', told.output


def test_sessions_are_rows(index_file: Path) -> None:
    """A selection prints sessions, with the chosen columns."""
    told = run(index_file, "{ errors > 0 } | select(browser)")

    assert '"id":"s2"' in told.output
    assert '"browser":"Safari"' in told.output


def test_metrics_keep_their_names(index_file: Path) -> None:
    """The name of a metric asks as before, with filters behind it."""
    told = run(index_file, "sessions", "app=blog")

    assert told.output == '{"sessions":2}\n', told.output


def test_refusal_shows_a_caret(index_file: Path) -> None:
    """What is wrong is pointed at."""
    told = run(index_file, "{ brwoser = 1 }")

    assert told.exit_code != 0
    assert "  { brwoser = 1 }\n    ^" in told.output


def test_explanation_names_what_answered(index_file: Path) -> None:
    """A row a figure: of rollups the days, hours and the rest; of a scan just that."""
    with closing(open_writer(Settings(index=index_file))) as writer:
        while writer.roll_up(END + 48 * HOUR, "single_view"):
            pass
    told = run(index_file, "sessions", "--by", "browser", "--explain")
    [found] = [orjson.loads(each) for each in told.output.split("\n\n")[1].splitlines()]

    assert found["figure"] == "count_over_time() by (browser)"
    assert found["answered by"] == "rollups"
    assert "0 days and 6 hours by browser" in found["read"]
    assert found["ms"] > 0

    told = run(index_file, '{ "cart" } | count_over_time()', "--explain")
    found = orjson.loads(told.output.split("\n\n")[1])
    assert (found["answered by"], found["read"]) == ("scan", "")
