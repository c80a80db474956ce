"""`skald rules`: checked, tested and filled in from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.commands.base import main
from app.settings import Settings
from app.shipped import rules_dir
from app.store import open_reader
from tests.build import HOUR, MINUTE, page_load
from tests.driver import Index

BEGIN = 1_704_067_200_000  # 2024-01-01T00:00:00Z, ms: past, whenever the tests run


def skald(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with a rule and a configuration."""
    (tmp_path / "skald.yml").write_text(
        "index: skald.db\nshipped_rules: false\nrules: [web.yml]\n"
    )
    (tmp_path / "web.yml").write_text(
        "groups:\n"
        "  - name: web\n"
        "    interval: 1h\n"
        "    rules:\n"
        "      - {record: 'app:sessions:count1h',"
        " expr: '{}[1h] | count_over_time() by (app)'}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_check_says_what_it_found() -> None:
    """Good files end with 0, and are counted."""
    result = skald("rules", "check")

    assert result.exit_code == 0
    assert "SUCCESS: 1 rules (1 recording, 0 alerting) in 1 groups" in result.output


def test_check_says_all_that_is_wrong(folder: Path) -> None:
    """Bad files end with 1, and a line for every problem."""
    (folder / "bad.yml").write_text("groups:\n  - nam: x\n  - name: y\n    limit: z\n")

    result = skald("rules", "check", "bad.yml")

    assert result.exit_code == 1
    assert "bad.yml:2:5: no key 'nam'; did you mean 'name'?" in result.output
    assert "bad.yml:4:12: group 'y': limit: 'z' is no whole number" in result.output


TEST = """
rule_files: [web.yml]
tests:
  - name: counted
    input_sessions:
      - {{id: s, app: shop, at: 5m, count: 3}}
    session_ql_expr_test:
      - expr: app:sessions:count1h
        eval_time: 1h
        exp_samples: [{{labels: '{{app="shop"}}', value: {value}}}]
"""


def test_tests_that_pass(folder: Path) -> None:
    """They end with 0."""
    (folder / "web.test.yml").write_text(TEST.format(value=3))

    result = skald("rules", "test", "web.test.yml")

    assert result.exit_code == 0, result.output
    assert "ok counted" in result.output


@pytest.mark.usefixtures("folder")
def test_folder_means_the_tests_in_it() -> None:
    """`skald rules test rules/` runs what is a test there, and nothing else."""
    shipped = sorted(rules_dir().glob("*.test.yml"))
    done = skald("rules", "test", str(rules_dir()))

    assert done.exit_code == 0, done.output
    assert done.output.count("Testing ") == len(shipped) > 0


def test_tests_that_fail_show_the_difference(folder: Path) -> None:
    """They end with 1, and say what was expected and what was found."""
    (folder / "web.test.yml").write_text(TEST.format(value=4))

    result = skald("rules", "test", "web.test.yml")

    assert result.exit_code == 1
    assert '- {app="shop"} 4' in result.output
    assert '+ {app="shop"} 3' in result.output


def test_tests_of_logs(folder: Path) -> None:
    """Lines of a source's format are read as the service would read them."""
    entries = page_load("s1", "00:05")
    lines = "\n".join(f"        - 5m: '{each.line}'" for each in entries)
    (folder / "web.test.yml").write_text(
        "rule_files: [web.yml]\ntests:\n  - input_logs:\n"
        f"    - format: faro\n      labels: {{app_name: shop}}\n      lines:\n{lines}\n"
        "    session_ql_expr_test:\n      - expr: app:sessions:count1h\n"
        "        eval_time: 1h\n"
        "        exp_samples: [{labels: '{app=\"shop\"}', value: 1}]\n"
    )

    result = skald("rules", "test", "web.test.yml")

    assert result.exit_code == 0, result.output


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_shipped_rules_pass_their_tests() -> None:
    """What ships is tested where it stands."""
    result = skald("rules", "test")

    assert result.exit_code == 0, result.output


def test_backfill_fills_the_past_once(folder: Path) -> None:
    """Slots of the range are recorded; asked again, nothing is left to do."""
    index = Index(folder / "skald.db")
    index.feed(*(page_load(f"s{at}", BEGIN + at * MINUTE) for at in (605, 615, 725)))
    index.backfill()
    index.close()
    asked = ("rules", "backfill", "--from", str(BEGIN), "--to", str(BEGIN + 14 * HOUR))

    first, again, anew = skald(*asked), skald(*asked), skald(*asked, "--anew")

    assert first.exit_code == 0, first.output
    assert "15 slots evaluated" in first.output
    assert "0 slots evaluated" in again.output
    assert "15 slots evaluated" in anew.output
    reader = open_reader(Settings(index=folder / "skald.db"))
    found = {(each.at - BEGIN) // HOUR: each.value for each in reader.changes(0, 100)}
    slot = reader.groups()
    reader.close()
    assert found == {11: 2, 12: None, 13: 1, 14: None}
    assert [each.slot for each in slot.values()] == [0]
