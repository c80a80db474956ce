"""`skald export` and `skald erase`: one person's data, from the command line."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from app.commands.base import main
from app.commands.forgetting import delete_request
from app.connections import LokiSettings
from app.settings import Settings, SourceSettings
from app.store import open_reader
from tests.api.shop import fill


@pytest.fixture
def index_file(tmp_path: Path) -> Path:
    """Return an index that can be counted by hand."""
    fill(tmp_path / "skald.db")
    return tmp_path / "skald.db"


def run(index: Path, *arguments: str, typed: str = "") -> Result:
    """Run a command over the index."""
    return CliRunner().invoke(
        main, arguments, env={"SKALD_INDEX": str(index)}, input=typed
    )


def sessions(index: Path) -> int:
    """Count the sessions of the index."""
    reader = open_reader(Settings(index=index))
    try:
        return reader.size()["sessions"]
    finally:
        reader.close()


def test_export_is_lines_of_json(index_file: Path, tmp_path: Path) -> None:
    """To standard output, or to a file that others may not read."""
    told = run(index_file, "export", "--user", "u1")
    out = tmp_path / "u1.ndjson"
    written = run(index_file, "export", "--user", "u1", "--out", str(out))

    rows = [orjson.loads(line) for line in told.stdout.splitlines()]
    assert rows
    assert all(row["user"]["id"] == "u1" for row in rows)
    assert f"found {len(rows)} sessions" in told.stderr
    assert written.stdout == ""
    assert out.read_text() == told.stdout
    assert out.stat().st_mode & 0o077 == 0


def test_nobody_is_an_empty_export(index_file: Path) -> None:
    """Who is not there has no lines."""
    told = run(index_file, "export", "--user", "nobody")

    assert (told.exit_code, told.stdout) == (0, "")
    assert "found 0 sessions" in told.stderr


def test_dry_run_erases_nothing(index_file: Path) -> None:
    """It tells who it is about, and how much would go."""
    before = sessions(index_file)
    told = run(index_file, "erase", "--user", "u1", "--dry-run")

    assert told.exit_code == 0
    assert "known as 'u1'" in told.stderr
    assert sessions(index_file) == before


@pytest.mark.parametrize(("typed", "is_erased"), [("n\n", False), ("y\n", True)])
def test_erasure_asks_first(index_file: Path, typed: str, *, is_erased: bool) -> None:
    """Without a yes nothing goes; with one, Loki's requests are printed."""
    before = sessions(index_file)
    told = run(index_file, "erase", "--user", "u1", typed=typed)

    assert (sessions(index_file) < before) == is_erased
    assert ("/loki/api/v1/delete" in told.stdout) == is_erased
    assert told.exit_code == (0 if is_erased else 1)


def test_yes_is_for_scripts(index_file: Path) -> None:
    """Nothing is asked, and the person is gone."""
    told = run(index_file, "erase", "--user", "u1", "--yes")
    again = run(index_file, "export", "--user", "u1")

    assert told.exit_code == 0, told.output
    assert "erased " in told.stdout
    assert again.stdout == ""


def test_loki_is_asked_in_its_own_words() -> None:
    """Quotes in an identity end neither the query nor the shell's word."""
    source = SourceSettings(
        selector='{app="a"} |= "x"', loki=LokiSettings(url="http://l:3100", tenant="t")
    )
    told = delete_request(source, "o'b\"r", 5_000)

    assert told == (
        "curl -fsS -X POST -H 'X-Scope-OrgID: t' -G http://l:3100/loki/api/v1/delete"
        """ --data-urlencode 'query={app="a"} |= "x" |= "o'"'"'b\\"r"' -d start=1 -d end=5"""
    )
