"""The dialects in which receivers write Faro items as log lines."""

from dataclasses import dataclass
from typing import Protocol

from app.demo.world.apps import App
from app.demo.world.people import Place, Visitor
from app.demo.world.text import go_time, iso_time, json_line, pairs, quote
from app.model import Labels

_KINDS = ("log", "exception", "measurement", "event")


@dataclass(frozen=True, slots=True)
class Action:
    """The user action that an item belongs to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The span that an item belongs to."""

    trace_id: str
    span_id: str


class Dialect(Protocol):
    """How one receiver writes items; bodies end before the metadata of the page."""

    has_geo: bool

    def stamp(self, ms: int) -> str:
        """Write the time of an item, epoch ms."""

    def event(self, body: str, trace: Trace | None, action: str) -> str:
        """Write an event whose *body* has its name, domain and data."""

    def measurement(
        self, type_: str, values: str, context: str, raw: str, action: str
    ) -> str:
        """Write a measurement of *values* (%f) and the *raw* ones (%v)."""

    def exception(self, body: str, digest: str, context: str, action: str) -> str:
        """Write an exception whose *body* has its type, value and stack."""

    def log(self, message: str, level: str, context: str) -> str:
        """Write a log line; *message* and *context* are logfmt already."""

    def browser(self, visitor: Visitor) -> str:
        """Write what the page knows of the browser, and no more than the SDK tells."""

    def last(self, view: str, place: Place) -> str:
        """Write what follows the browser."""

    def finish(self, line: str) -> str:
        """Turn the finished logfmt text into the line."""

    def labels(self, app: App, environment: str) -> dict[str, Labels]:
        """Label the stream of each kind of item."""

    def metadata(self, kind: str, version: str, **more: str) -> Labels:
        """Tell the structured metadata of an item."""


def _browser(visitor: Visitor) -> str:
    b = visitor.browser
    mobile = "true" if b.mobile else "false"
    return (
        f" browser_name={quote(b.name)} browser_version={b.version}"
        f" browser_os={quote(b.os)} browser_mobile={mobile}"
        f" browser_userAgent={quote(b.agent)} browser_language={visitor.language}"
        f" browser_viewportWidth={b.width} browser_viewportHeight={b.height}"
    )


class Alloy:
    """Dialect A: Alloy's faro.receiver, in logfmt."""

    has_geo = False

    def stamp(self, ms: int) -> str:
        """Write the time as Go prints it."""
        return f'timestamp="{go_time(ms)}"'

    def event(self, body: str, trace: Trace | None, action: str) -> str:
        """Write an event; the action is not told."""
        del action
        if trace is None:
            return f" kind=event {body}"
        return f" kind=event {body} traceID={trace.trace_id} spanID={trace.span_id}"

    def measurement(
        self, type_: str, values: str, context: str, raw: str, action: str
    ) -> str:
        """Write a measurement: values, context, raw values."""
        del action
        return f" kind=measurement type={type_} {values}{context} {raw}"

    def exception(self, body: str, digest: str, context: str, action: str) -> str:
        """Write an exception with its hash."""
        del action
        return f" kind=exception {body} hash={digest}{context}"

    def log(self, message: str, level: str, context: str) -> str:
        """Write a log line, its level behind the message."""
        return f" kind=log message={message} level={level}{context}"

    def browser(self, visitor: Visitor) -> str:
        """Write the browser without brands and system."""
        return _browser(visitor)

    def last(self, view: str, place: Place) -> str:
        """Write the view; places are not told."""
        del place
        return f" view_name={quote(view)}" if view else ""

    def finish(self, line: str) -> str:
        """Leave the line as it is."""
        return line

    def labels(self, app: App, environment: str) -> dict[str, Labels]:
        """Label by job, application, environment and kind."""
        return {
            kind: {
                "job": "faro",
                "app_name": app.name,
                "app_environment": environment,
                "kind": kind,
            }
            for kind in _KINDS
        }

    def metadata(self, kind: str, version: str, **more: str) -> Labels:
        """Tell none: faro.receiver never sets structured metadata."""
        del kind, version, more
        return {}


class AlloyJson(Alloy):
    """Dialect A with ``log_format = "json"``."""

    def finish(self, line: str) -> str:
        """Turn the line into one flat JSON object."""
        return json_line(line)


class Otel:
    """Dialect B: otelcol.receiver.faro, over Loki's OTLP endpoint."""

    has_geo = True

    def stamp(self, ms: int) -> str:
        """Write the time in ISO form, unquoted."""
        return f"timestamp={iso_time(ms)}"

    def event(self, body: str, trace: Trace | None, action: str) -> str:
        """Write an event with its level, span and action."""
        spans = f" traceID={trace.trace_id} spanID={trace.span_id}" if trace else ""
        return f" kind=event level=info {body}{spans}{action}"

    def measurement(
        self, type_: str, values: str, context: str, raw: str, action: str
    ) -> str:
        """Write a measurement: context, values, raw values, action."""
        told = f"type={type_}{context} {values} {raw}{action}"
        return f" kind=measurement level=info {told}"

    def exception(self, body: str, digest: str, context: str, action: str) -> str:
        """Write an exception; its hash goes to the structured metadata."""
        del digest
        return f" kind=exception level=error {body}{context}{action}"

    def log(self, message: str, level: str, context: str) -> str:
        """Write a log line, its level before the message."""
        return f" kind=log level={level} message={message}{context}"

    def browser(self, visitor: Visitor) -> str:
        """Write the browser with its brands, and the system."""
        b = visitor.browser
        brands = [
            pair
            for i, (brand, version) in enumerate(b.brands)
            for pair in (
                (f"browser_brand_{i}_brand", brand),
                (f"browser_brand_{i}_version", version),
            )
        ] or [("browser_brands", "unknown")]
        system = [("os_name", b.os_name), ("os_version", b.os_version)]
        return f"{_browser(visitor)} {pairs(brands + system)}"

    def last(self, view: str, place: Place) -> str:
        """Write the view, then where the visitor is."""
        told = f" view_name={quote(view)}" if view else ""
        return (
            f"{told} geo_continent_iso={place.continent}"
            f" geo_country_iso={place.country}"
            f" geo_subdivision_iso={place.subdivision} geo_city={quote(place.city)}"
            f" geo_asn_org={quote(place.asn_org)} geo_asn_id={place.asn_id}"
        )

    def finish(self, line: str) -> str:
        """Leave the line as it is."""
        return line

    def labels(self, app: App, environment: str) -> dict[str, Labels]:
        """Label by service; the kind is structured metadata."""
        labels = {"service_name": app.name, "deployment_environment": environment}
        if app.namespace:
            labels["service_namespace"] = app.namespace
        return dict.fromkeys(_KINDS, labels)

    def metadata(self, kind: str, version: str, **more: str) -> Labels:
        """Tell kind and version, and what else the record has."""
        return {"kind": kind, "service_version": version, **more}


def dialect(name: str) -> Dialect:
    """Pick a dialect by name.

    Raises:
        KeyError: there is no such dialect.
    """
    return _DIALECTS[name]


_DIALECTS: dict[str, Dialect] = {
    "alloy": Alloy(),
    "json": AlloyJson(),
    "otel": Otel(),
}
