"""Hold what a running service consists of, and hand each request its reader."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, g
from prometheus_client import CollectorRegistry, Histogram

from app.settings import Settings
from app.store.seam import Reader

OpenReader = Callable[[Settings], Reader]


@dataclass(frozen=True, slots=True)
class Service:
    """What the views need; built once for an application."""

    settings: Settings
    open_reader: OpenReader
    registry: CollectorRegistry
    durations: Histogram


def build_service(settings: Settings, open_reader: OpenReader) -> Service:
    """Put a service together."""
    registry = CollectorRegistry()
    durations = Histogram(
        "skald_http_request_duration_seconds",
        "Time taken to answer, by route.",
        ("route", "method", "status"),
        registry=registry,
    )
    return Service(settings, open_reader, registry, durations)


def install(app: Flask, service: Service) -> None:
    """Make *service* known to the views of *app*."""
    app.extensions["skald"] = service
    app.teardown_appcontext(_close_reader)


def service() -> Service:
    """Return the service of the current application."""
    found: Service = current_app.extensions["skald"]
    return found


def settings() -> Settings:
    """Return the settings of the current application."""
    return service().settings


def reader() -> Reader:
    """Return the reader of this request, opened when first asked for.

    Raises:
        StoreError: the index cannot be read.
    """
    if "reader" not in g:
        g.reader = service().open_reader(service().settings)
    found: Reader = g.reader
    return found


def _close_reader(_error: BaseException | None) -> None:
    opened: Reader | None = g.pop("reader", None)
    if opened is not None:
        opened.close()
