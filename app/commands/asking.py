"""`skald query`: ask the index from the command line."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import click
import orjson
from tabulate import tabulate

from app import clock
from app.api import questions
from app.api.frames import Row, to_long_rows, to_rows
from app.api.parameters import Scalar
from app.api.sessions import read_search
from app.catalog.metrics import METRICS
from app.commands import explaining
from app.commands.base import main, settings_of
from app.sessionql.language import parse
from app.settings import Settings
from app.store import open_reader

WORDS = frozenset({"metric", "by", "step", "max_points"})
_SHOWN = ("duration", "views", "errors", "entry", "exit", "user_name", "status")


@main.command("query")
@click.argument("asked_for", metavar="QUERY", nargs=1)
@click.argument("filters", nargs=-1)
@click.option("--by", default="", help="Labels to group by, with commas.")
@click.option("--from", "since", default="now-24h", show_default=True)
@click.option("--to", "until", default="now", show_default=True)
@click.option("--step", default="", help="Bucket by bucket, such as 1h.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, not a table.")
@click.option("--explain", is_flag=True, help="Say how each figure was answered.")
@click.pass_context
def query(  # noqa: PLR0913, PLR0917  # one parameter an option
    context: click.Context,
    asked_for: str,
    filters: Sequence[str],
    by: str,
    since: str,
    until: str,
    step: str,
    as_json: bool,  # noqa: FBT001
    explain: bool,  # noqa: FBT001
) -> None:
    """Ask in SessionQL, or for a metric.

    FILTERS select sessions, as they do over HTTP.

    \b
    skald query '{ page="/cart" } !>> { page="/checkout" }'
    skald query '{ app="shop" } | count_over_time() by (browser) | topk(3)'
    skald query sessions --by browser app=tealeaf-shop
    skald query error_rate --by version --from now-7d
    skald query sessions --step 1h 'errors=>0'
    skald query error_rate --from now-30d --explain
    """  # noqa: D301
    settings = settings_of(context)
    asked: dict[str, list[Scalar]] = {
        "metric" if asked_for in METRICS else "q": [asked_for],
        "by": [by],
        "from": [since],
        "to": [until],
    }
    if step:
        asked["step"] = [step]
    for each in filters:
        name, _, value = each.partition("=")
        asked.setdefault(name, []).append(value)
    if asked_for not in METRICS and parse(asked_for).kind == "sessions":
        _print(_find(asked, settings), as_json=as_json)
        return
    question = questions.read_question(
        asked, clock.now(), WORDS, has_steps=bool(step), settings=settings
    )
    with closing(open_reader(settings)) as reader:
        frames = questions.ask(question, reader, settings)
        answered = reader.take_answered()
    lay_out = to_long_rows if step else to_rows
    _print(lay_out(question.metrics, frames), as_json=as_json)
    for frame in frames:
        for notice in frame.notices:
            click.echo(notice, err=True)
    if explain:
        click.echo()
        _print(explaining.explain(answered), as_json=as_json)


def _find(asked: Mapping[str, list[Scalar]], settings: Settings) -> list[Row]:
    """List the sessions that a query selects, newest first."""
    search = read_search(asked, clock.now(), WORDS)
    with closing(open_reader(settings)) as reader:
        found = reader.search(replace(search, columns=search.columns or _SHOWN))
    if found.next_cursor:
        click.echo(f"showing {len(found.items)} of {found.total:,}", err=True)
    return found.items


def _print(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(orjson.dumps(row).decode())
    else:
        click.echo(tabulate([_shown(row) for row in rows], headers="keys"))


def _shown(row: Row) -> Row:
    """Write times so that people can read them."""
    times = {name: row[name] for name in ("time", "start", "end") if row.get(name)}
    return row | {
        name: datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, at in times.items()
    }
