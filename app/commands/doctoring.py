"""`skald doctor`: can Loki be reached, what is in it, what would be made of it."""

import click

import app.events.formats  # noqa: F401  # registers the decoders
from app import clock
from app.commands.base import main, settings_of
from app.errors import SkaldError
from app.events.decoder import Batch, make_decoder
from app.model import Entry, Page, Stream
from app.settings import Settings, SourceSettings
from app.sources.loki import LokiSource
from app.store import open_reader

MS = 1_000_000  # ns
SHOWN = 3  # examples of lines that are not used


@main.command("doctor")
@click.pass_context
def doctor(context: click.Context) -> None:
    """Try everything that indexing takes, and say what to do where it fails."""
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
    """Show what the newest lines mean to the source's decoder."""
    if not entries:
        return True
    batch, unused = Batch(), []
    decoder = make_decoder(source)
    for entry in entries:
        before = batch.decoded
        value = [str(entry.ts), entry.line, {"structuredMetadata": entry.metadata}]
        page = Page(0, 0, [Stream(entry.labels, [value])], 1, len(entry.line))
        decoder.decode(page, batch)
        if batch.decoded == before:
            unused.append(entry.line)
    reasons = ", ".join(f"{count} {why}" for why, count in batch.dropped.items())
    _tell(
        "lines",
        good=bool(batch.decoded),
        detail=f"{batch.decoded} of {len(entries)} are understood as {source.format}"
        + (f"; not used: {reasons}" if reasons else ""),
    )
    for line in unused[:SHOWN]:
        click.echo(f"         {line[:120]}")
    apps = sorted({address[0] for address in batch.events})
    if apps:
        click.echo(f"  apps   {', '.join(apps)}")
    if not batch.decoded:
        click.echo("  remedy set `format:` or `selector:` of the source in skald.yml")
    return bool(batch.decoded)


def _tell(name: str, *, good: bool, detail: str) -> bool:
    mark = click.style("ok", fg="green") if good else click.style("FAIL", fg="red")
    click.echo(f"  {mark:4} {name}: {detail}")
    return good
