"""`skald rules check | test | backfill`: before, beside and after the rules run."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from app import clock
from app.api.parameters import parse_instant
from app.commands.base import Refusal, main, settings_of
from app.ruler.backfill import backfill, spans_of
from app.ruler.files import Named, find_files, is_test_file, load_rules, named_files
from app.ruler.model import RECORD, Defaults, Group, RuleSet
from app.ruler.problems import RuleFileError
from app.ruler.rulefile import read_rules
from app.ruler.ruler import Ruler
from app.ruler.trial.read import read_trials
from app.ruler.trial.run import run_trials
from app.settings import Settings
from app.shipped import rules_dir
from app.store import open_exact_reader, open_rulebook

FAILED = 1  # exit code: rules are wrong, or a test of them failed; as promtool's
_FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path))


@main.group("rules")
def rules() -> None:
    """Check rule files, test them, evaluate them for the past."""


@rules.command("check")
@_FILES
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Check rule FILES, or all that are configured and ship.

    Ends with 0 when they can be used, else with 1 and a line for every problem.
    """
    settings = settings_of(context)
    try:
        named = _named(settings, files)
        for name, _ in named:
            click.echo(f"Checking {name}")
        found = read_rules(named, _defaults(settings), _known(settings, files))
    except RuleFileError as error:
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        count = len(error.problems)
        click.secho(f"FAILED: {count} problem{'s' * (count > 1)}", fg="red", err=True)
        context.exit(FAILED)
    click.secho(f"SUCCESS: {_count(found)}", fg="green")


def _named(settings: Settings, files: tuple[Path, ...]) -> list[Named]:
    return named_files(map(str, files)) if files else find_files(settings)


def _known(settings: Settings, files: tuple[Path, ...]) -> set[str]:
    """List the series of the rules in force, which FILES may read."""
    rules = load_rules(settings).rules() if files else []
    return {rule.name for rule in rules if rule.kind == RECORD}


def _defaults(settings: Settings) -> Defaults:
    return Defaults(settings.rule_interval_ms, settings.rule_offset_ms)


def _count(found: RuleSet) -> str:
    kinds = [rule.kind for rule in found.rules()]
    recording = kinds.count(RECORD)
    return (
        f"{len(kinds)} rules ({recording} recording, {len(kinds) - recording} alerting)"
        f" in {len(found.groups)} groups"
    )


def _tests_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of tests that are named, and those in folders that are."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if is_test_file(each))
        else:
            yield path


@rules.command("test")
@_FILES
@click.option("--run", "only", default="", help="Only tests whose name holds this.")
@click.pass_context
def test(context: click.Context, files: tuple[Path, ...], only: str) -> None:
    """Run the tests of rules in FILES, or those that ship.

    See docs/rules.md. A folder means every file in it that ends in .test.yml or .test.yaml.

    Ends with 0 when all pass, else with 1 and what differs: - expected, + found.
    """
    settings = settings_of(context)
    failed = 0
    for path in _tests_of(files or (rules_dir(),)):
        click.echo(f"Testing {path}")
        try:
            trials = read_trials(str(path), path)
            verdicts = run_trials(trials, path.parent, settings)
        except RuleFileError as error:
            click.secho(f"  {error}", fg="red", err=True)
            failed += 1
            continue
        for verdict in verdicts:
            if only not in verdict.trial.name:
                continue
            mark = click.style("ok", fg="green")
            if verdict.failures:
                mark = click.style("FAIL", fg="red")
                failed += 1
            click.echo(f"  {mark} {verdict.trial.name}")
            for failure in verdict.failures:
                click.echo(f"    {failure}", err=True)
    if failed:
        context.exit(FAILED)


@rules.command("backfill")
@click.option(
    "--from", "since", required=True, help="First slot: ISO 8601, ms, now-7d."
)
@click.option("--to", "until", default="now", show_default=True, help="Last slot.")
@click.option(
    "--rules", "more", multiple=True, help="Rule files beside those configured."
)
@click.option("--group", "only", multiple=True, help="Only groups of these names.")
@click.option("--anew", is_flag=True, help="Do again what an earlier run has done.")
@click.pass_context
def fill(  # one parameter an option
    context: click.Context,
    since: str,
    until: str,
    more: tuple[str, ...],
    only: tuple[str, ...],
    anew: bool,  # noqa: FBT001
) -> None:
    """Evaluate recording rules for the past.

    Twice is once; what is interrupted goes on where it ended when it is asked for with
    the same --from and --to. The service may run at the same time.

    \b
    skald rules backfill --from now-30d
    skald rules backfill --from 2026-11-01 --to 2026-11-08 --group sessions
    """  # noqa: D301
    settings = settings_of(context)
    now = clock.now()
    start, end = parse_instant(since, now), parse_instant(until, now)
    if start >= end:
        raise Refusal("--from must be before --to; write 2026-11-01, now-7d or ms")
    found = load_rules(settings, more)
    groups = tuple(each for each in found.groups if not only or each.name in only)
    if not groups:
        raise Refusal(f"no group of {', '.join(only)}; see `skald rules check`")
    book = open_rulebook(settings)
    try:
        ruler = Ruler(settings, book, open_exact_reader)
        spans = spans_of(RuleSet(groups), start, min(end, now))
        done = backfill(spans, ruler, book, _tell, anew=anew)
    finally:
        book.close()
    click.echo(f"{done:,} slots evaluated")


def _tell(group: Group, done: int, total: int) -> None:
    click.echo(f"  {group.key}: {done:,} of {total:,} slots", err=True)
