"""Say what can be configured: every setting with its default, its bounds, its help.

A setting is written in ``skald.yml`` under its key (the field's name without ``_ms`` or
``_s``: durations are written with their unit) and in the environment under ``SKALD_`` and
its path. ``app.configuration`` reads both; the reference pages are made from here.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000  # ms
KIB, MIB = 1 << 10, 1 << 20  # bytes
_NOTE = "setting"

BOUNCES = ("single_view", "plausible", "ga4", "openobserve")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting beside its name and its default.

    Attributes:
        kind: how its text is read; one of ``app.configuration.kinds.KINDS``.
        least: smallest value, in the field's own unit; included.
        most: largest value, likewise.
        choices: all values, where they are few.
    """

    kind: str
    help: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """Tell whether its value must never be shown."""
        return self.kind == "secret"


def setting(default: Any, kind: str, help: str, **more: Any) -> Any:  # noqa: A002
    """Declare a field of a settings class: its default, and a ``Setting``."""
    note = Setting(kind, help, **more)
    return field(default=default, repr=not note.is_secret, metadata={_NOTE: note})


def declared(room: type) -> dict[str, tuple[str, Setting]]:
    """List what can be set in a settings class: key → (field, declaration)."""
    return {
        each.name.removesuffix("_ms").removesuffix("_s"): (
            each.name,
            each.metadata[_NOTE],
        )
        for each in fields(room)
        if _NOTE in each.metadata
    }


@dataclass(frozen=True, slots=True)
class LokiSettings:
    """How to reach one Loki."""

    url: str = setting(
        "http://localhost:3100", "url", "Address of Loki, without `/loki/api/v1`."
    )
    tenant: str = setting("", "text", "Sent as `X-Scope-OrgID`; empty sends none.")
    username: str = setting("", "text", "For basic authentication.")
    password: str = setting("", "secret", "For basic authentication.")
    token: str = setting("", "secret", "Sent as bearer token.")
    token_file: Path | None = setting(
        None,
        "file",
        "File that holds the bearer token; read again when it changes, so that "
        "the token may rotate.",
    )
    ca_file: Path | None = setting(
        None, "file", "Certificates (PEM) to trust instead of the usual ones."
    )
    timeout_s: float = setting(
        60.0,
        "seconds",
        "How long one request may take. Loki may hold a request; its own limit is "
        "usually 30 s to 5 min.",
        least=0.1,
        most=3_600,
    )
    connect_timeout_s: float = setting(
        5.0, "seconds", "How long connecting may take.", least=0.1, most=300
    )
    gzip: bool = setting(
        False,  # noqa: FBT003
        "boolean",
        "Ask for compressed answers: worth it across a slow network, not beside Loki.",
    )
    retries: int = setting(
        6,
        "whole",
        "Attempts after the first, for what may pass by itself: 429, 5xx, timeouts, "
        "cut connections.",
        least=0,
        most=100,
    )
    limit: int = setting(
        5_000,
        "whole",
        "Entries asked for at a time; shrinks to what the server allows.",
        least=1,
        most=1_000_000,
    )
    page_bytes: int = setting(
        3 * MIB,
        "size",
        "Aim for one answer, under Loki's gRPC limit of 4 MiB.",
        least=64 * KIB,
        most=1 << 30,
    )
    max_query_length_s: int = setting(
        30 * 86_400,
        "whole_seconds",
        "Longest range of one query; Loki's own default is 30d1h.",
        least=60,
        most=3_650 * 86_400,
    )
    prefetch: int = setting(
        2, "whole", "Pages fetched ahead of the decoder.", least=0, most=16
    )


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One stream of telemetry to follow."""

    name: str = setting(
        "faro", "name", "Unique; sessions carry it, so it should not change."
    )
    format: str = setting("faro", "format", "How its lines are read.")
    selector: str = setting(
        '{kind=~".+"}',
        "selector",
        "LogQL stream selector, with line filters if need be.",
    )
    loki: LokiSettings = field(default_factory=LokiSettings)
    lag_ms: int = setting(
        10 * SECOND,
        "duration",
        "How far behind now the reader stays, so that lines under way arrive.",
        least=0,
        most=DAY,
    )
    horizon_ms: int = setting(
        HOUR,
        "duration",
        "How late a line may come and still be found.",
        least=0,
        most=7 * DAY,
    )
    start_ms: int = setting(
        DAY,
        "duration",
        "How far back the first run begins.",
        least=0,
        most=3_650 * DAY,
    )
    interval_ms: int = setting(
        10 * SECOND,
        "duration",
        "How often to look for new lines.",
        least=SECOND,
        most=DAY,
    )
    inactivity_ms: int = setting(
        15 * MINUTE,
        "duration",
        "A session is over after that long without an event.",
        least=SECOND,
        most=DAY,
    )
    max_session_ms: int = setting(
        4 * HOUR,
        "duration",
        "A session is over at that age.",
        least=MINUTE,
        most=30 * DAY,
    )
    max_events: int = setting(
        10_000,
        "whole",
        "Events kept of one session; the rest is cut, and said to be.",
        least=1,
        most=1_000_000,
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured."""

    index: Path = setting(Path("skald.db"), "path", "File of the index.")
    sources: tuple[SourceSettings, ...] = (SourceSettings(),)
    host: str = setting("127.0.0.1", "text", "Address to listen on.")
    port: int = setting(8700, "whole", "Port to listen on.", least=1, most=65_535)
    tenant: str = setting("default", "name", "Whose sessions the index holds.")
    retention_ms: int = setting(
        90 * DAY,
        "duration",
        "Sessions that ended longer ago are deleted.",
        least=HOUR,
        most=36_500 * DAY,
    )
    bounce: str = setting(
        "single_view",
        "choice",
        "What counts as a bounce, see the glossary.",
        choices=BOUNCES,
    )
    query_timeout_s: float = setting(
        10.0, "seconds", "How long one question may take.", least=0.1, most=600
    )
    max_rows: int = setting(
        10_000, "whole", "Rows in one answer.", least=1, most=1_000_000
    )
    max_series: int = setting(
        1_000, "whole", "Series in one answer.", least=1, most=100_000
    )
    max_points: int = setting(
        11_000, "whole", "Buckets of one series, at most.", least=1, most=100_000
    )
    points: int = setting(
        500,
        "whole",
        "Buckets of one series, when a request does not say.",
        least=1,
        most=11_000,
    )
    max_body_bytes: int = setting(
        MIB, "size", "Largest body of a request.", least=KIB, most=1 << 30
    )
    api_token: str = setting(
        "", "secret", "Bearer token that requests must carry; empty: open to all."
    )
    api_token_file: Path | None = setting(
        None, "file", "File that holds that token; read again when it changes."
    )
    cors_origins: tuple[str, ...] = setting(
        (), "origins", "Web sites whose pages may ask directly, or `*`."
    )
    rules: tuple[str, ...] = setting(
        (), "paths", "Rule files beside those that ship with Skald; * and ** match."
    )
    shipped_rules: bool = setting(
        True,  # noqa: FBT003
        "boolean",
        "Evaluate the rules that ship with Skald.",
    )
    rule_interval_ms: int = setting(
        MINUTE,
        "duration",
        "How often a group is evaluated that does not say.",
        least=SECOND,
        most=7 * DAY,
    )
    rule_offset_ms: int = setting(
        MINUTE,
        "duration",
        "How long a slot waits for its events, of a group that does not say "
        "(`query_offset`). More than lag and interval of the sources together.",
        least=0,
        most=DAY,
    )
    rule_patience_ms: int = setting(
        5 * MINUTE,
        "duration",
        "How much longer a slot waits for a source that is behind.",
        least=0,
        most=DAY,
    )
    rule_catch_up: int = setting(
        1_000,
        "whole",
        "Missed slots of a group that are made up; older ones are given up.",
        least=0,
        most=100_000,
    )
    rule_horizon_ms: int = setting(
        6 * HOUR,
        "duration",
        "How far back slots are evaluated again when lines come late.",
        least=0,
        most=7 * DAY,
    )
    rule_workers: int = setting(
        2, "whole", "Groups evaluated at the same time.", least=1, most=64
    )
    rule_series: int = setting(
        100,
        "whole",
        "Series of one rule that `/metrics` shows; the rest is left out, and counted.",
        least=0,
        most=10_000,
    )
    rule_detail_ms: int = setting(
        14 * DAY,
        "duration",
        "Recorded samples older than that are thinned to one an hour.",
        least=HOUR,
        most=36_500 * DAY,
    )
    rule_retention_ms: int = setting(
        400 * DAY,
        "duration",
        "Recorded samples older than that are deleted.",
        least=HOUR,
        most=36_500 * DAY,
    )
    alertmanagers: tuple[str, ...] = setting(
        (), "urls", "Addresses of Alertmanagers; each is told of every alert."
    )
    alertmanager_token: str = setting(
        "", "secret", "Sent to the Alertmanagers as bearer token."
    )
    alert_resend_ms: int = setting(
        MINUTE,
        "duration",
        "How soon the Alertmanagers are told again of what still fires.",
        least=SECOND,
        most=DAY,
    )
    external_url: str = setting(
        "",
        "text",
        "Address of Skald for people, in alerts and their templates.",
    )
    lease_ms: int = setting(
        30 * SECOND,
        "duration",
        "A scheduler that is silent for that long has lost its jobs to another.",
        least=SECOND,
        most=HOUR,
    )
    log_format: str = setting(
        "text", "choice", "How a log line looks.", choices=LOG_FORMATS
    )
    log_level: str = setting(
        "info", "choice", "Least important level that is logged.", choices=LOG_LEVELS
    )
