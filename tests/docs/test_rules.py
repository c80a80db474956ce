"""The page about rules tells the truth: its files are good and its test passes."""

import re
from pathlib import Path

from app.ruler.rulefile import read_rules
from app.ruler.trial.read import read_trials
from app.ruler.trial.run import run_trials
from app.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
FILE = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


def test_the_example_passes_its_test(tmp_path: Path) -> None:
    """Copied into files as they are named, the examples work."""
    for name, text in FILE.findall(PAGE.read_text("utf-8")):
        (tmp_path / name).write_text(text)
    path = tmp_path / "web.test.yml"

    rules = read_rules([("web.yml", tmp_path / "web.yml")])
    verdicts = run_trials(read_trials(path.name, path), tmp_path, Settings())

    assert len(rules.rules()) == 3
    assert [verdict.failures for verdict in verdicts] == [()]
