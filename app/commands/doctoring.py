"""`skald doctor`: can Loki be reached, what is in it, what would be made of it."""

import click

from app import clock
from app.commands.base import main, settings_of
from app.errors import SkaldError
from app.events.recognise import Trial, attempt, block, recognise
from app.model import Entry
from app.settings import Settings, SourceSettings
from app.sources.loki import LokiSource
from app.store import open_reader

MS = 1_000_000  # ns
SHOWN = 3  # examples of lines that are not used, a reason
SHOWN_APPS = 20


@main.command("doctor")
@click.pass_context
def doctor(context: click.Context) -> None:
    """Try all that indexing takes, and say what to mend.

    Is Loki there, may it be read, what do the newest lines of each source mean, what
    would be dropped and why. Where another format fits better, prints the source to
    paste into skald.yml; to begin with, a `selector` is enough.
    """
    settings = settings_of(context)
    good = _examine_index(settings)
    for source in settings.sources:
        good = _examine(source) and good
    if not good:
        context.exit(1)


def _examine_index(settings: Settings) -> bool:
    click.secho(f"index {settings.index}", bold=True)
    if not settings.index.exists():
        return _tell("file", good=True, detail="none yet; the first run makes it")
    try:
        reader = open_reader(settings)
    except SkaldError as error:
        return _tell("file", good=False, detail=str(error))
    try:
        size = reader.size()
    finally:
        reader.close()
    return _tell(
        "file",
        good=True,
        detail=f"{size['sessions']:,} sessions, {size['bytes'] / 1e6:,.1f} MB",
    )


def _examine(source: SourceSettings) -> bool:
    click.secho(f"source {source.name}: {source.selector}", bold=True)
    click.echo(f"  Loki at {source.loki.url}")
    try:
        reader = LokiSource(source)
        probe = reader.probe(clock.now() * MS)
    except SkaldError as error:
        return _tell("loki", good=False, detail=str(error))
    reader.close()
    good = True
    for check in probe.checks:
        detail = f"{check.detail}: {check.remedy}" if check.remedy else check.detail
        good = _tell(check.name, good=check.is_good, detail=detail) and good
    return _decode(source, probe.entries) and good


def _decode(source: SourceSettings, entries: list[Entry]) -> bool:
    """Show what the newest lines mean to the source's decoder, and to which they do."""
    if not entries:
        return True
    trial = attempt(source, entries)
    reasons = ", ".join(f"{len(each)} {why}" for why, each in trial.dropped.items())
    _tell(
        "lines",
        good=bool(trial.decoded),
        detail=f"{trial.decoded} of {trial.lines} are understood as {source.format}"
        + (f"; not used: {reasons}" if reasons else ""),
    )
    for reason, lines in trial.dropped.items():
        for line in lines[:SHOWN]:
            click.echo(f"         {reason}: {line[:120]!r}")
    if trial.apps:
        click.echo(f"  apps   {', '.join(trial.apps[:SHOWN_APPS])}")
    if trial.decoded * 2 < trial.lines:
        _recognise(source, entries, trial)
    return bool(trial.decoded)


def _recognise(source: SourceSettings, entries: list[Entry], now: Trial) -> None:
    """Say which format the lines have, and what to paste for it."""
    best = recognise(source, entries)
    if best is None or best.decoded <= now.decoded:
        if not now.decoded:
            click.echo(
                "  remedy no format of ours: set `format:` or `selector:` of the source"
                " in skald.yml; docs/sources.md maps any log"
            )
        return
    preset = best.settings.mapping.preset
    name = f"{best.settings.format} ({preset})" if preset else best.settings.format
    click.echo(
        f"  remedy {best.decoded} of {best.lines} lines look like {name}; paste:"
    )
    for line in block(best.settings).splitlines():
        click.echo(f"         {line}")


def _tell(name: str, *, good: bool, detail: str) -> bool:
    mark = click.style("ok", fg="green") if good else click.style("FAIL", fg="red")
    click.echo(f"  {mark:4} {name}: {detail}")
    return good
