"""What the shipped rules record is what their tests expect; and lines of any format."""

from pathlib import Path

import pytest

from app.ruler.files import load_rules
from app.ruler.trial.read import read_trials
from app.ruler.trial.run import run_trials
from app.settings import Settings
from app.shipped import rules_dir
from tests.corpus.worlds import entries

TESTS = sorted(rules_dir().glob("*.test.yml"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_shipped_tests_pass(path: Path) -> None:
    """Each file beside the rules passes, as `skald rules test` runs it."""
    verdicts = run_trials(read_trials(path.name, path), path.parent, Settings())

    assert verdicts
    assert [verdict.failures for verdict in verdicts if verdict.failures] == []


def test_every_shipped_rule_is_tested() -> None:
    """No rule ships whose name is in no test."""
    tested = "".join(path.read_text("utf-8") for path in TESTS)

    names = {rule.name for rule in load_rules(Settings()).rules()}

    assert {name for name in names if name not in tested} == set()


@pytest.mark.parametrize("name", ["clm", "langfuse", "openobserve"])
def test_lines_of_any_format_can_be_given(tmp_path: Path, name: str) -> None:
    """A test takes the lines of every source, also those that tell no session."""
    line = next(each for each in entries(name) if "session" in each.line)
    labels = ", ".join(f"{key}: {value!r}" for key, value in line.labels.items())
    quoted = line.line.replace("'", "''")
    path = tmp_path / "a.test.yml"
    (tmp_path / "a.yml").write_text("groups: []\n")
    path.write_text(
        f"rule_files: [a.yml]\n"
        f"tests:\n"
        f"  - start_timestamp: 2026-11-18T00:00:00Z\n"
        f"    input_logs:\n"
        f"      - format: {name}\n"
        f"        labels: {{{labels}}}\n"
        f"        lines:\n"
        f"          - 30h: '{quoted}'\n"
        f"    session_ql_expr_test:\n"
        f"      - expr: '{{ }}[7d] | count_over_time() by (source)'\n"
        f"        eval_time: 48h\n"
        f"        exp_samples: [{{labels: '{{source=\"test-{name}\"}}', value: 1}}]\n"
    )

    (verdict,) = run_trials(read_trials(path.name, path), tmp_path, Settings())

    assert verdict.failures == ()
