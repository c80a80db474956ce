"""What the command line says of the configuration."""

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.compiled import manner
from app.version import __version__


@pytest.fixture(autouse=True)
def _away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # put back afterwards
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)


def test_settings_are_printed_masked() -> None:
    """``skald settings`` shows what is in effect and no secret."""
    secrets = {"SKALD_API_TOKEN": "hunter2", "SKALD_PORT": "81"}

    result = CliRunner().invoke(main, ["settings"], env=secrets)

    assert result.exit_code == 0
    assert "port: 81\n" in result.output
    assert "api_token: '***'\n" in result.output


def test_refusal_is_no_traceback() -> None:
    """A wrong configuration ends with code 2 and its problems on standard error."""
    Path("x.yml").write_text("prot: 1")

    result = CliRunner().invoke(main, ["--config", "x.yml", "settings"])

    assert result.exit_code == 2
    assert result.stderr == (
        "Error: 1 problem in the configuration:\n"
        "  x.yml:1:1: prot is no setting; did you mean 'port'?\n"
    )


def test_version_is_printed() -> None:
    """``skald --version`` names the version of the package, and how its hot path runs."""
    result = CliRunner().invoke(main, ["--version"])

    assert result.output == f"skald, version {__version__} ({manner()})\n"
