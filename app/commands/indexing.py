"""`skald index`: read once, now, and tell how it goes."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from app import clock
from app.api.parameters import parse_instant
from app.commands.base import Refusal, main, prepare_for_lines, settings_of
from app.jobs.index import Indexer, Report
from app.settings import Settings, SourceSettings
from app.sources import ReplaySource
from app.sources.loki import LokiSource
from app.sources.model import Source
from app.sources.replay import read_entries
from app.store import open_writer

MS = 1_000_000  # ns
FOLLOW_S = 60.0
_NOTHING = (
    "nothing new; older lines are read by --from, such as `skald index --from now-7d`"
)


@main.command("index")
@click.option("--from", "since", help="Begin of the range: ISO 8601, ms, now-7d.")
@click.option("--to", "until", help="End of the range; now less the lag when not said.")
@click.option("--source", "name", help="Only this source.")
@click.option("--once", is_flag=True, help="Read what is new and end (without --from).")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read entries from this file (JSON lines: ts_ns, labels, line; also .gz, .zst),"
    " not from Loki.",
)
@click.pass_context
def index(
    context: click.Context,
    since: str | None,
    until: str | None,
    name: str | None,
    once: bool,  # noqa: FBT001
    replay: Path | None,
) -> None:
    """Read lines into the index, once, and tell how it goes.

    With --from (and --to), that range, whatever was read before: reading twice changes
    nothing. Without, from where the last run ended, as the service does; --once ends
    when there is nothing left, otherwise it goes on until stopped.

    \b
    skald index --from now-7d
    skald index --from 2026-11-01 --to 2026-11-08
    skald index --replay lines.jsonl
    """  # noqa: D301
    settings = settings_of(context)
    prepare_for_lines()
    store = open_writer(settings)
    try:
        for source in _chosen(settings, name):
            reader: Source = (
                ReplaySource(read_entries(replay), source.name)
                if replay
                else LokiSource(source)
            )
            indexer = Indexer(source, reader, store)
            if replay or since:
                _backfill(indexer, reader, since, until, source)
            else:
                _follow(indexer, source, once=once)
    finally:
        store.close()


def _chosen(settings: Settings, name: str | None) -> list[SourceSettings]:
    chosen = [each for each in settings.sources if name in {None, each.name}]
    if not chosen:
        known = ", ".join(each.name for each in settings.sources)
        raise Refusal(f"no source {name!r}; configured: {known}")
    return chosen


def _backfill(
    indexer: Indexer,
    reader: Source,
    since: str | None,
    until: str | None,
    source: SourceSettings,
) -> None:
    now = clock.now()
    if isinstance(reader, ReplaySource):
        start, end = reader.span
    else:
        start, end = 0, (now - source.lag_ms) * MS
    if since:
        start = parse_instant(since, now) * MS
    if until:
        end = parse_instant(until, now) * MS
    if start >= end:
        raise Refusal(f"--from ({since}) is not before --to ({until or 'now'})")
    began = clock.monotonic()
    hidden = not sys.stdout.isatty()
    with click.progressbar(length=100, label=source.name, hidden=hidden) as bar:

        def advance(_: Report, reached: int) -> None:
            bar.update(int(100 * (reached - start) / (end - start)) - bar.pos)

        report = indexer.backfill(start, end, advance)
    _tell(source.name, report, clock.monotonic() - began)


def _follow(indexer: Indexer, source: SourceSettings, *, once: bool) -> None:
    while True:
        began = clock.monotonic()
        report = indexer.follow(clock.now(), began + FOLLOW_S, _behind(source.name))
        _tell(source.name, report, clock.monotonic() - began)
        if report.is_done:
            if once:
                if not report.entries:
                    click.echo(f"{source.name}: {_NOTHING}")
                return
            clock.sleep(source.interval_ms / 1000)


def _behind(name: str) -> Callable[[Report, int], None]:
    def tell(report: Report, reached: int) -> None:
        behind_s = clock.now() / 1000 - reached / 1e9
        click.echo(
            f"{name}: {report.entries:,} lines, {behind_s:,.0f} s behind", err=True
        )

    return tell


def _tell(name: str, report: Report, took_s: float) -> None:
    rate = report.entries / took_s if took_s else 0
    click.echo(
        f"{name}: {report.entries:,} lines in {took_s:,.1f} s ({rate:,.0f}/s),"
        f" {report.events:,} new events, {report.repeated:,} known,"
        f" {report.sessions:,} sessions derived"
    )
    for reason, lines in sorted(report.dropped.items()):
        click.echo(f"{name}: {lines:,} lines not used: {reason}")
