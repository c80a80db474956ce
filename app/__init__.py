"""Skald: session analytics for Grafana, over the logs kept in Loki."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.api.service import OpenReader
    from app.settings import Settings


def create_app(
    settings: "Settings", open_reader: "OpenReader | None" = None
) -> "Flask":
    """Build the web service.

    Args:
        settings: what is configured.
        open_reader: opens the index for one request; the store's own, from a pool, when not given.
    """
    # Whoever imports one room of the house need not load the web framework.
    from app.api.application import build  # noqa: PLC0415

    if open_reader is None:
        from app.store.pool import Readers  # noqa: PLC0415

        open_reader = Readers(settings).open
    return build(settings, open_reader)
