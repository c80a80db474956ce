"""`skald query`: ask the index from the command line."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click
import orjson
from tabulate import tabulate

from app import clock
from app.api import questions
from app.api.frames import Row, to_long_rows, to_rows
from app.commands.base import main, settings_of
from app.store import open_reader

WORDS = frozenset({"metric", "by", "step", "max_points"})


@main.command("query")
@click.argument("metric", nargs=1)
@click.argument("filters", nargs=-1)
@click.option("--by", default="", help="Labels to group by, with commas.")
@click.option("--from", "since", default="now-24h", show_default=True)
@click.option("--to", "until", default="now", show_default=True)
@click.option("--step", default="", help="Bucket by bucket, such as 1h.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, not a table.")
@click.pass_context
def query(  # noqa: PLR0913, PLR0917  # one parameter an option
    context: click.Context,
    metric: str,
    filters: Sequence[str],
    by: str,
    since: str,
    until: str,
    step: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Ask for a metric, for the sessions that FILTERS select.

    \b
    skald query sessions --by browser app=tealeaf-shop
    skald query error_rate --by version --from now-7d
    skald query sessions --step 1h 'errors=>0'
    """  # noqa: D301
    settings = settings_of(context)
    asked: dict[str, list[str | int | float | bool | None]] = {
        "metric": [metric],
        "by": [by],
        "from": [since],
        "to": [until],
    }
    if step:
        asked["step"] = [step]
    for each in filters:
        name, _, value = each.partition("=")
        asked.setdefault(name, []).append(value)
    question = questions.read_question(
        asked, clock.now(), WORDS, has_steps=bool(step), settings=settings
    )
    reader = open_reader(settings)
    try:
        frames = questions.ask(question, reader, settings)
    finally:
        reader.close()
    lay_out = to_long_rows if step else to_rows
    _print(lay_out(question.metrics, frames), as_json=as_json)
    for frame in frames:
        for notice in frame.notices:
            click.echo(notice, err=True)


def _print(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(orjson.dumps(row).decode())
    else:
        click.echo(tabulate([_shown(row) for row in rows], headers="keys"))


def _shown(row: Row) -> Row:
    """Write times so that people can read them."""
    if "time" in row:
        when = datetime.fromtimestamp(row["time"] / 1000, UTC)
        return row | {"time": when.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return row
