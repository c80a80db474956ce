"""Say how the lines of a mapped log can be read."""

from dataclasses import dataclass

from app.declare import DAY, MINUTE, SECOND, setting

_PATH = "A field by its path, `@label`, `=text`, or `a | b`: the first that is there."
EVENT_KINDS = ("view", "action", "error", "log", "request", "measurement", "other")
UNITS = ("ms", "s", "us", "ns")


@dataclass(frozen=True, slots=True)
class EventSettings:
    """What one kind of line of a mapped log is."""

    kind: str = setting("log", "choice", "What it is.", choices=EVENT_KINDS)
    when: str = setting(
        "",
        "condition",
        "Which lines: `status >= 500 and path !~ [.]css$`; empty: all that are left.",
    )
    name: str = setting("", "field", "Of the action, the error, the level of the log.")
    value: str = setting("", "field", "How long it took, or what was measured.")
    unit: str = setting("ms", "choice", "Of the value.", choices=UNITS)
    status: str = setting("", "field", "Of a request; from 400 on it failed.")
    method: str = setting("", "field", "Of a request.")
    message: str = setting("", "field", "Of an error or a log line.")
    stack: str = setting("", "field", "Of an error.")
    trace: str = setting("", "field", "Id of the trace.")


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """How the lines of a mapped log are read."""

    preset: str = setting(
        "",
        "choice",
        "A ready mapping; what is set besides goes over it.",
        choices=("", "nginx", "traefik", "otel"),
    )
    line: str = setting(
        "",
        "choice",
        "What a line is; `combined`: an access log, `text`: JSON or else a message. "
        "Empty: as the preset has it, else `json`.",
        choices=("", "json", "logfmt", "combined", "text"),
    )
    app: str = setting(
        "", "field", f"Application. {_PATH} Empty: preset, else `@app | @job`."
    )
    session: str = setting("", "field", "Id of the session.")
    user: str = setting("", "field", "Id of the user.")
    user_name: str = setting("", "field", "Name of the user.")
    user_email: str = setting("", "field", "E-mail of the user.")
    who: str = setting(
        "",
        "fields",
        "What tells visitors apart where no session and no user is named, such as "
        "`remote_addr, http_user_agent`; only a keyed hash of it is kept.",
    )
    salt: str = setting("", "secret", "Key of that hash.")
    rotate_ms: int = setting(
        DAY, "duration", "How long a key holds; 0s for ever.", least=0, most=400 * DAY
    )
    gap_ms: int = setting(
        30 * MINUTE, "duration", "A pause that ends a session.", least=SECOND, most=DAY
    )
    time: str = setting("", "field", "When it happened; else when Loki got it.")
    time_unit: str = setting(
        "auto", "choice", "Of a time that is a number.", choices=("auto", *UNITS)
    )
    environment: str = setting(
        "", "field", "production, ... Empty: preset, else `@env | @environment`."
    )
    version: str = setting("", "field", "Release of the application.")
    url: str = setting("", "field", "Address or path of the page.")
    page: str = setting("", "field", "Path of the page, where it is not the URL's.")
    title: str = setting("", "field", "Name of the page.")
    referrer: str = setting("", "field", "Where the visitor came from.")
    agent: str = setting("", "field", "User agent: browser, system and device.")
    country: str = setting("", "field", "ISO code of the country.")
    city: str = setting("", "field", "City.")
    language: str = setting("", "field", "Language.")
    connection: str = setting("", "field", "Kind of connection.")
    duration: str = setting("", "field", "How long a request took.")
    duration_unit: str = setting(
        "",
        "choice",
        "Of the duration. Empty: preset, else ms.",
        choices=("", *UNITS),
    )
    attributes: str = setting(
        "", "fields", "More to keep: `plan=account.plan, region=@region`."
    )
    events: tuple[EventSettings, ...] = ()
