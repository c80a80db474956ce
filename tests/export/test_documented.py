"""What the page about Prometheus shows works as it stands."""

import re
import subprocess
from pathlib import Path

import yaml

from app.configuration.load import load_settings
from app.export.exposition import expose
from tests.export.prometheus import program
from tests.export.recorder import Recorder

PAGE = (Path(__file__).parents[2] / "docs/prometheus.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_examples_of_skald_load(tmp_path: Path) -> None:
    """Every receiver of the page is one that the settings take."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    blocks = [each for each in BLOCKS if "remote_write:" in each]
    for block in blocks:
        path = tmp_path / "skald.yml"
        path.write_text(re.sub(r"/\w+/\S+", str(secret), _without_urls(block)))
        assert load_settings(path, {}).remote_write

    assert len(blocks) == 2


def _without_urls(block: str) -> str:
    return re.sub(r"https?://\S+", "http://receiver", block)


def test_examples_of_prometheus_load(tmp_path: Path) -> None:
    """Every piece of Prometheus' configuration is one that it takes."""
    token = tmp_path / "token"
    token.write_text("x")
    blocks = [each for each in BLOCKS if "remote_write:" not in each]
    for block in blocks:
        path = tmp_path / "prometheus.yml"
        path.write_text(block.replace("/etc/prometheus/skald-token", str(token)))
        done = subprocess.run(
            [program("promtool"), "check", "config", str(path)],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    assert [list(yaml.safe_load(each)) for each in blocks] == [
        ["scrape_configs"], ["storage"],
    ]  # fmt: skip


def test_every_metric_has_its_row(recorder: Recorder) -> None:
    """A metric about receivers that is exposed is explained, and the other way round."""
    reader = recorder.reader()
    text = expose(reader, 1, 1, b"").decode()
    reader.close()
    exposed = set(re.findall(r"^# TYPE (skald_\w+)", text, re.MULTILINE))
    rows = set(re.findall(r"`(skald_re[a-z_]+)`", PAGE.partition("How it fares")[2]))

    assert rows == exposed
