"""`skald dashboards`: Grafana's dashboards and alert rules, generated from the catalog."""

from pathlib import Path

import click

from app.commands.base import main
from app.dashboards.build import generate, save, stale
from app.shipped import grafana_dir


@main.group("dashboards")
def dashboards() -> None:
    """Generate Grafana's dashboards and alert rules."""


@dashboards.command("build")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory to write to; else the one that ships with Skald.",
)
@click.option("--check", is_flag=True, help="Only say which files are stale.")
@click.pass_context
def build(context: click.Context, out: Path | None, check: bool) -> None:  # noqa: FBT001
    """Write dashboards for both data sources, and the alert rules."""
    directory = out or grafana_dir()
    files = generate()
    if check:
        found = stale(directory, files)
        for path in found:
            click.echo(f"{path} is stale; run: skald dashboards build", err=True)
        context.exit(1 if found else 0)
    for path in save(directory, files):
        click.echo(f"wrote {path}")
