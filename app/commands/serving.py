"""`skald run`, `serve`, `worker`: the service, whole or in parts."""

import gc
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from waitress.server import create_server

from app import create_app
from app.allocator import share_one_heap
from app.commands.base import main, prepare_for_lines, settings_of
from app.errors import SkaldError
from app.jobs.scheduler import Jobs
from app.settings import Settings

log = logging.getLogger(__name__)

THREADS = 8  # of the web service in one process
RULES = click.option(
    "--rules", "more", multiple=True, help="Rule files beside those configured."
)


@main.command("run")
@RULES
@click.pass_context
def run(context: click.Context, more: tuple[str, ...]) -> None:
    """Index and answer, in one process.

    It is all that a small deployment needs. It listens where `host` and `port` of the settings say (SKALD_HOST, SKALD_PORT).
    """
    share_one_heap()
    settings = with_rules(settings_of(context), more)
    with running_jobs(settings):
        click.echo(f"Skald answers at http://{settings.host}:{settings.port}", err=True)
        serve_until_stopped(settings)


@main.command("serve")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--threads", default=4, show_default=True, help="Threads of each.")
@click.pass_context
def serve(context: click.Context, workers: int, threads: int) -> None:
    """Answer only, with several processes; `skald worker` indexes.

    It listens where `host` and `port` of the settings say (SKALD_HOST, SKALD_PORT).
    """
    share_one_heap()
    settings = settings_of(context)
    options = {
        "bind": f"{settings.host}:{settings.port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "accesslog": None,
        "control_socket_disable": True,  # it is a file in the home, one for all services
    }
    _Gunicorn(settings, options).run()


@main.command("worker")
@RULES
@click.pass_context
def worker(context: click.Context, more: tuple[str, ...]) -> None:
    """Index only; of several, one works and the others stand by."""
    settings = with_rules(settings_of(context), more)
    with running_jobs(settings):
        wait_for_signal()


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # has no types
    """Gunicorn, told what to do by us and not by its command line."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        application = create_app(self._settings)
        gc.freeze()  # what was imported stays: it is not looked through for garbage
        return application


def with_rules(settings: Settings, more: tuple[str, ...]) -> Settings:
    """Add rule files, as the command line names them."""
    return replace(settings, rules=(*settings.rules, *more)) if more else settings


@contextmanager
def running_jobs(settings: Settings) -> Iterator[Jobs]:
    """Run the jobs as long as the context lasts."""
    prepare_for_lines()
    jobs = Jobs(settings)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


def serve_until_stopped(settings: Settings) -> None:
    """Answer requests until SIGINT or SIGTERM.

    Raises:
        SkaldError: the address cannot be listened on.
    """
    try:
        server = create_server(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            threads=THREADS,
            ident="skald",
        )
    except OSError as error:
        raise SkaldError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror};"
            " set another port (`port:` in skald.yml, or SKALD_PORT)"
        ) from error
    signal.signal(signal.SIGTERM, _interrupt)
    server.run()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def wait_for_signal() -> None:
    """Return at SIGINT or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
