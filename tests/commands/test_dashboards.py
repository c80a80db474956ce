"""`skald dashboards build` writes what ships, and says when that is stale."""

from pathlib import Path

from click.testing import CliRunner

from app.commands.base import main


def test_builds_into_a_directory_once(tmp_path: Path) -> None:
    """A second run finds nothing to do; what no board has is taken away."""
    runner, out = CliRunner(), ["dashboards", "build", "--out", str(tmp_path)]

    first = runner.invoke(main, out)
    left = tmp_path / "dashboards" / "json" / "gone.json"
    left.write_text("{}")
    second = runner.invoke(main, out)
    third = runner.invoke(main, out)

    assert first.exit_code == second.exit_code == third.exit_code == 0
    assert first.output.count("wrote") > 20
    assert second.output.count("wrote") == 1
    assert third.output == ""
    assert not left.exists()


def test_check_names_what_is_stale(tmp_path: Path) -> None:
    """Nothing is written, and the exit code is 1."""
    asked = ["dashboards", "build", "--check", "--out", str(tmp_path)]

    result = CliRunner().invoke(main, asked)

    assert result.exit_code == 1
    assert "sessions.json is stale; run: skald dashboards build" in result.output
    assert not list(tmp_path.iterdir())


def test_what_ships_is_current() -> None:
    """Without a directory it is the one that ships."""
    result = CliRunner().invoke(main, ["dashboards", "build", "--check"])

    assert result.exit_code == 0, result.output
