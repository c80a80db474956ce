"""The command group, and what every command needs."""

import gc
import sys
from importlib import import_module
from pathlib import Path

import click

from app import compiled
from app.configuration.load import load_settings
from app.configuration.show import show_settings
from app.errors import SkaldError
from app.log import configure_logging
from app.settings import Settings
from app.version import __version__

USAGE = 2  # exit code: the command was not understood, or cannot be done as configured


class Refusal(click.ClickException):
    """A problem with a remedy, shown without a traceback."""

    exit_code = USAGE


ROOMS = {
    "dashboards": "drawing",
    "demo": "demonstrating",
    "doctor": "doctoring",
    "erase": "forgetting",
    "export": "forgetting",
    "index": "indexing",
    "query": "asking",
    "rules": "ruling",
    "run": "serving",
    "serve": "serving",
    "worker": "serving",
}  # command → module of app.commands that registers it


class Commands(click.Group):
    """Imports a command when it is asked for; answers our own errors with their text."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List every command."""
        return sorted({*ROOMS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing where it lives."""
        room = ROOMS.get(cmd_name)
        if room:
            import_module(f"app.commands.{room}")
        return super().get_command(ctx, cmd_name)

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except SkaldError as err:
            raise Refusal(str(err)) from err


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="File of the configuration; else SKALD_CONFIG, else ./skald.yml if it exists.",
)
@click.version_option(
    __version__,
    prog_name="skald",
    message=f"%(prog)s, version %(version)s ({compiled.manner()})",
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Session analytics for Grafana, over the logs you already keep in Loki."""
    context.obj = config
    if compiled.is_stale():
        raise Refusal(compiled.STALE)


def prepare_for_lines() -> None:
    """Set the interpreter up for a process that indexes.

    What was imported stays: it is not looked through for garbage. And threads hand over
    sooner: a page that is being fetched needs Python for a moment for each piece that
    arrives, and waited 5 ms for it each time.
    """
    gc.freeze()
    sys.setswitchinterval(_HAND_OVER_S)


_HAND_OVER_S = 0.001


def settings_of(context: click.Context) -> Settings:
    """Load the settings that ``--config`` and the environment say; start the logs.

    Raises:
        SettingsError: shown as it is, with exit code 2.
    """
    settings = load_settings(context.obj)
    configure_logging(settings.log_level, settings.log_format)
    return settings


@main.command("settings")
@click.pass_context
def print_settings(context: click.Context) -> None:
    """Print the settings in effect, secrets masked."""
    click.echo(show_settings(settings_of(context)), nl=False)
