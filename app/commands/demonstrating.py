"""`skald demo`: a small living world, indexed and answered, on this machine alone."""

import logging
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import click

from app import clock
from app.commands.base import main, settings_of
from app.commands.serving import running_jobs, serve_until_stopped
from app.demo.standin import Limits, StandIn
from app.demo.world import World
from app.errors import SkaldError
from app.settings import LokiSettings, Settings, SourceSettings

log = logging.getLogger(__name__)

HOUR = 3_600_000  # ms
HISTORY_HOURS = 6
PER_HOUR = 400  # sessions
TICK_S = 1.0  # how often the world sends what has happened since


@main.command("demo")
@click.option("--hours", default=HISTORY_HOURS, show_default=True, help="Of history.")
@click.option("--rate", default=PER_HOUR, show_default=True, help="Sessions an hour.")
@click.option("--seed", default=1, show_default=True, help="Another world.")
@click.pass_context
def demo(context: click.Context, hours: int, rate: int, seed: int) -> None:
    """Run Skald over a small living world.

    A few hundred visitors live in a stand-in Loki, which listens on a free port; Skald
    on `host` and `port` of the settings (SKALD_PORT).

    Needs nothing and leaves nothing: the index is in a temporary folder.
    """
    settings = settings_of(context)
    began = clock.now()
    world = World(seed, sessions_per_hour=rate, incident_ms=began - 2 * HOUR)
    limits = Limits(discover_log_levels=False)
    with (
        tempfile.TemporaryDirectory(prefix="skald-demo-") as folder,
        StandIn(limits=limits) as loki,
    ):
        click.echo(f"Making {hours} hours of history ...", err=True)
        lines = loki.load(world.history(began - hours * HOUR, began))
        click.echo(f"A stand-in Loki at {loki.url} holds {lines:,} lines.", err=True)
        life = _Life(world, loki, began)
        with running_jobs(_settings(settings, Path(folder), loki.url, hours)), life:
            click.echo(_what_to_try(settings))
            serve_until_stopped(_settings(settings, Path(folder), loki.url, hours))


def _settings(settings: Settings, folder: Path, url: str, hours: int) -> Settings:
    source = SourceSettings(
        name="faro",
        selector='{service_name=~".+"}',
        loki=LokiSettings(url=url),
        lag_ms=2_000,
        interval_ms=2_000,
        start_ms=hours * HOUR,
    )
    return replace(settings, index=folder / "skald.db", sources=(source,))


class _Life:
    """Goes on with the world in a thread: what happens is sent as it happens."""

    def __init__(self, world: World, loki: StandIn, since: int) -> None:
        self._world = world
        self._loki = loki
        self._since = since
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="world", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._stop.wait(TICK_S):
            now = clock.now()
            try:
                self._loki.load(self._world.live(self._since, now))
            except SkaldError as error:
                log.warning("the world stood still", extra={"reason": str(error)})
            self._since = now


def _what_to_try(settings: Settings) -> str:
    base = f"http://{settings.host}:{settings.port}"
    return f"""
Skald answers at {base}. Try, in another terminal:

  curl '{base}/api/v1/query?metric=sessions&metric=error_rate&by=app'
  curl '{base}/api/v1/query_range?metric=error_rate&by=version&app=tealeaf-shop&step=1h'
  curl '{base}/api/v1/sessions?text=payment&errors=>0&sort=-duration&limit=3'

In Grafana, add the data source Infinity with the URL {base}, or the JSON data source
with {base}/json; {base}/api/v1 lists what can be asked. Ctrl-C ends it.
"""
