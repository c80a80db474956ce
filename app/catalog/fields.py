"""The fields of sessions and of their events: what can be filtered, grouped, listed."""

from app.catalog.field import Field
from app.catalog.told import TOLD, TOLD_EVENTS, TOLD_KINDS

__all__ = (
    "ATTRIBUTE_SCOPES",
    "COUNTED",
    "DEVICES",
    "FIELDS",
    "KINDS",
    "STATUSES",
    "Field",
    "find",
    "kinds_of",
)

ATTRIBUTE_SCOPES = ("session.", "user.", "page.", "event.")


def _dimension(name: str, label: str, text: str, **more: object) -> Field:
    return Field(name, label, "string", "session", text, groups=True, **more)  # type: ignore[arg-type]


def _count(name: str, label: str, text: str, unit: str = "short") -> Field:
    return Field(name, label, "number", "session", text, unit)


STATUSES = ("healthy", "errored", "crashed", "abnormal")
DEVICES = ("desktop", "mobile", "tablet", "bot")

_FIELDS = (
    Field("id", "Session", "string", "session", "The id that the source gave it."),
    _dimension("source", "Source", "Name of the source in the configuration."),
    _dimension("app", "App", "Application that reported it."),
    _dimension("environment", "Environment", "production, staging, ..."),
    _dimension("version", "Version", "Newest release of the application seen in it."),
    _dimension("browser", "Browser", "Family: Chrome, Safari, Firefox ..."),
    _dimension("browser_version", "Browser version", "As the browser reports it."),
    _dimension("os", "OS", "Family: Windows, macOS, Android, iOS ..."),
    _dimension("device", "Device", "What it ran on.", choices=DEVICES),
    _dimension("country", "Country", "ISO 3166 code, where the collector knows it."),
    _dimension("language", "Language", "Of the browser."),
    _dimension("referrer", "Referrer", "Host of the page that the visit came from."),
    _dimension("entry", "Entry page", "First page."),
    _dimension("exit", "Exit page", "Last page so far."),
    _dimension(
        "status",
        "Status",
        "Exclusive: crashed, else errored, else abnormal, else healthy.",
        choices=STATUSES,
    ),
    _dimension(
        "user",
        "User",
        "Last identified user: id, else e-mail or name; of none, the anonymous id.",
    ),
    Field("user_name", "User name", "string", "session", "E-mail, else name, else id."),
    Field(
        "previous", "Continues", "string", "session", "Id of the session it continues."
    ),
    Field("start", "Start", "time", "session", "Time of its first event."),
    Field("end", "End", "time", "session", "Time of its last event so far."),
    _count("duration", "Duration", "End minus start.", "ms"),
    _count("views", "Views", "Pages, views or components visited."),
    _count("actions", "Actions", "What the user did: named actions, custom events."),
    _count("errors", "Errors", "Distinct error events."),
    _count("log_errors", "Error logs", "Lines logged at level error."),
    _count("failed_requests", "Failed requests", "Requests with status 400 or above."),
    _count("resources", "Requests", "Requests that the page made."),
    _count("events", "Events", "Distinct events of all kinds."),
    *TOLD,
    Field("bounced", "Bounced", "boolean", "session", "See the definition of bounce."),
    Field("returning", "Returning", "boolean", "session", "Its user had one before."),
    Field("active", "Active", "boolean", "session", "Its timeout has not passed yet."),
    Field("page", "Page", "string", "view", "Path of a page visited.", groups=True),
    Field("dwell", "Dwell", "number", "view", "Time until the next view.", "ms"),
    Field("lcp", "LCP", "number", "view", "Largest contentful paint.", "ms"),
    Field("inp", "INP", "number", "view", "Interaction to next paint.", "ms"),
    Field("cls", "CLS", "number", "view", "Cumulative layout shift.", "none"),
    Field("ttfb", "TTFB", "number", "view", "Time to first byte.", "ms"),
    Field("fcp", "FCP", "number", "view", "First contentful paint.", "ms"),
    Field("action", "Action", "string", "action", "Name of an action.", groups=True),
    Field("error", "Error", "string", "error", "Type of an error.", groups=True),
    Field("message", "Message", "string", "error", "Message of an error.", groups=True),
    Field(
        "fingerprint",
        "Fingerprint",
        "string",
        "error",
        "Equal for errors that differ only in numbers and ids.",
        groups=True,
    ),
    *TOLD_EVENTS,
)

FIELDS: dict[str, Field] = {field.name: field for field in _FIELDS}


_PAGED = ("view", "action", "error")  # kinds of events that happened on a page
KINDS = (*_PAGED, *TOLD_KINDS)  # of events; a field without a say is of the first
COUNTED = {
    "views": "view",
    "actions": "action",
    "errors": "error",
    "traces": "trace",
}  # field → its events


def kinds_of(field: Field) -> tuple[str, ...]:
    """Return the kinds of events that have *field*: ``page`` is known of several."""
    if field.name == "page":
        return _PAGED
    return (field.scope,) if field.scope in KINDS else ()


def find(name: str) -> Field | None:
    """Return the field *name*; any attribute, such as ``session.plan``, is one."""
    field = FIELDS.get(name)
    if field is None and name.startswith(ATTRIBUTE_SCOPES) and len(name) <= 220:  # noqa: PLR2004
        return Field(
            name, name, "string", "attribute", "An attribute of the app's own."
        )
    return field
