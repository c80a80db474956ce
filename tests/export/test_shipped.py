"""What is shipped for Prometheus is what Prometheus takes."""

import subprocess
from pathlib import Path

import pytest

from tests.export.prometheus import program

RULES = Path(__file__).parents[2] / "rules/prometheus"


@pytest.mark.parametrize("verb", ["check", "test"])
def test_rules_about_skald_itself(verb: str) -> None:
    """Promtool understands the alerts, and they fire when they should."""
    name = "skald.test.yml" if verb == "test" else "skald.yml"
    done = subprocess.run(
        [program("promtool"), verb, "rules", str(RULES / name)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_alerts_ask_for_metrics_that_there_are() -> None:
    """Every metric in them is one that the code exposes."""
    root = Path(__file__).parents[2] / "app"
    sources = "".join(
        path.read_text("utf-8")
        for room in ("api", "export")
        for path in (root / room).glob("*.py")
    )

    for metric, part in (
        ("skald_index_readable", "skald_index_readable"),
        ("skald_source_lag_seconds", "skald_source_lag_seconds"),
        ("skald_job_failures_total", "skald_job_failures"),
        ("skald_rules_last_reload_successful", "skald_rules_last_reload_successful"),
        ("skald_rule_group_last_lateness_seconds", "last_lateness_seconds"),
        ("skald_remote_write_lag_seconds", "_lag_seconds"),
        ("skald_remote_write_samples_refused_total", '"refused"'),
    ):
        assert metric in (RULES / "skald.yml").read_text("utf-8")
        assert part in sources
