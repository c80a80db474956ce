"""Say what can be configured: every setting with its default, its bounds, its help.

A setting is written in ``skald.yml`` under its key (the field's name without ``_ms`` or
``_s``: durations are written with their unit) and in the environment under ``SKALD_`` and
its path. ``app.configuration`` reads both; the reference pages are made from here.
"""

from dataclasses import dataclass, field
from pathlib import Path

from app.connections import LokiSettings, RemoteWriteSettings
from app.declare import DAY, HOUR, KIB, MIB, MINUTE, SECOND, Setting, declared, setting
from app.mapping import EVENT_KINDS, UNITS, EventSettings, MappingSettings

BOUNCES = ("single_view", "plausible", "ga4", "openobserve")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """Which share of some sessions is kept before their lines come to Loki."""

    app: str = setting("", "text", "Of which application; empty: of any.")
    version: str = setting("", "text", "Of which version; empty: of any.")
    rate: float = setting(
        1.0, "share", "Which share is kept: `25%`, `0.25`.", least=1e-6, most=1
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
    mapping: MappingSettings = field(default_factory=MappingSettings)
    sampling: tuple[SamplingSettings, ...] = ()
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
        "A session is no longer active after that long without an event.",
        least=SECOND,
        most=DAY,
    )
    max_session_ms: int = setting(
        4 * HOUR,
        "duration",
        "A session is no longer active at that age.",
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
    max_new_sessions: int = setting(
        20_000,
        "whole",
        "Sessions that may begin in a minute, and in an hour five times as many; of more, "
        "the lines are left out and counted as `too_many_sessions`. Those that are known "
        "go on.",
        least=1,
        most=100_000_000,
    )
    stitch_ms: int = setting(
        0,
        "duration",
        "Of `clm`: page loads of one user that are less than that apart are one "
        "session. 0s keeps every page load its own.",
        least=0,
        most=7 * DAY,
    )
    split_ms: int = setting(
        0,
        "duration",
        "Of `clm`: a page load that idles for that long is two sessions. 0s never "
        "splits one.",
        least=0,
        most=7 * DAY,
    )
    replay_link: str = setting(
        "",
        "text",
        "Where the replay of a session can be watched: an address with `{session}`, "
        "`{app}`, `{start}`, `{end}` in it.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured."""

    index: Path = setting(Path("skald.db"), "path", "File of the index.")
    sources: tuple[SourceSettings, ...] = (SourceSettings(),)
    remote_write: tuple[RemoteWriteSettings, ...] = ()
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
    answer_cache_bytes: int = setting(
        4 * MIB,
        "size",
        "Answers that a process remembers until what they tell of changes; `0B`: none.",
        least=0,
        most=1 << 30,
    )
    column_cache_bytes: int = setting(
        6 * MIB,
        "size",
        "Columns of sessions that a process holds in memory, those used last; and as "
        "much again of what they gave to answers.",
        least=0,
        most=64 << 30,
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
    privacy_token: str = setting(
        "", "secret", "Bearer token of exports and erasures; empty: they are refused."
    )
    export_retention_ms: int = setting(
        7 * DAY,
        "duration",
        "Exports can be downloaded for that long; then they, and what is remembered of "
        "erasures that are done, are forgotten.",
        least=MINUTE,
        most=365 * DAY,
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
        "Series of one rule that `/metrics` shows, the largest; of counts the rest is "
        "added up as `other`, else it is left out, and counted.",
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


__all__ = [
    "BOUNCES", "DAY", "EVENT_KINDS", "HOUR", "KIB", "LOG_FORMATS", "LOG_LEVELS", "MIB",
    "MINUTE", "SECOND", "UNITS", "EventSettings", "LokiSettings", "MappingSettings",
    "RemoteWriteSettings", "SamplingSettings", "Setting", "Settings", "SourceSettings",
    "declared", "setting",
]  # fmt: skip
