"""Offer Skald on the command line."""

import click

from app.version import __version__


@click.group()
@click.version_option(__version__, prog_name="skald")
def main() -> None:
    """Session analytics for Grafana, over the logs you already keep in Loki."""


if __name__ == "__main__":
    main()
