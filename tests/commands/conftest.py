"""Run commands as a shell would, with a configuration in a folder of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import clock
from app.commands.base import main
from app.demo.standin import StandIn
from tests.build import DELAY, MINUTE, action, js_error, page_load
from tests.worlds import PLAIN

Skald = Callable[..., Result]
CONFIGURATION = """\
index: {index}
sources:
  - name: faro
    selector: '{{job="faro"}}'
    lag: 0s
    loki:
      url: {url}
      retries: 0
      connect_timeout: 1s
{more}
"""


@pytest.fixture
def loki() -> Iterator[StandIn]:
    """Return a stand-in that holds two visits of the last minutes."""
    now = clock.now() - 5 * MINUTE
    with StandIn(limits=PLAIN) as loki:
        loki.load(page_load("s1", now, "/"))
        loki.load(js_error("s1", now + 1_000))
        known = {"page": "/cart", "browser_name": "Firefox"}
        loki.load(page_load("s2", now + 20_000, **known))
        loki.load(action("s2", now + 20_000 + DELAY, **known))
        yield loki


@pytest.fixture
def configure(tmp_path: Path, loki: StandIn) -> Callable[..., Path]:
    """Write a configuration; keywords replace what is usual."""

    def write(url: str = "", more: str = "") -> Path:
        path = tmp_path / "skald.yml"
        text = CONFIGURATION.format(
            index=tmp_path / "skald.db", url=url or loki.url, more=more
        )
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def skald(configure: Callable[..., Path]) -> Skald:
    """Run a command; ``url`` and ``more`` change the configuration."""

    def run(*arguments: str, **changed: str) -> Result:
        path = configure(**changed)
        return CliRunner().invoke(main, ["--config", str(path), *arguments])

    return run
