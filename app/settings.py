"""Say what can be configured, and turn text into settings or refuse it completely."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LokiSettings:
    """How to reach one Loki."""

    url: str = "http://localhost:3100"
    tenant: str = ""  # X-Scope-OrgID
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)  # bearer
    token_file: Path | None = None  # read again at each request, so that it may rotate
    ca_file: Path | None = None
    timeout_s: float = (
        60.0  # Loki may hold a request; its own limit is usually 30 s to 5 min
    )
    connect_timeout_s: float = 5.0
    gzip: bool = False  # worth it across a slow network, not beside Loki
    retries: int = 6  # attempts after the first, for what may pass by itself
    limit: int = 5_000  # entries a request; shrinks to what the server allows
    page_bytes: int = (
        3 * 1024 * 1024
    )  # aim of one answer, under Loki's 4 MiB gRPC limit
    max_query_length_s: int = 30 * 86_400  # Loki's default is 30d1h
    prefetch: int = 3  # pages fetched ahead


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One stream of telemetry to follow."""

    name: str = "faro"
    format: str = "faro"
    selector: str = '{kind=~".+"}'
    loki: LokiSettings = LokiSettings()
    lag_ms: int = 10_000  # how far behind now the cursor stays
    horizon_ms: int = 3_600_000  # how long a line may come late
    start_ms: int = 86_400_000  # how far back the first run begins
    interval_ms: int = 10_000  # how often to look for new lines
    inactivity_ms: int = (
        15 * 60_000
    )  # a session is over after that long without an event
    max_session_ms: int = 4 * 3_600_000
    max_events: int = 10_000  # stored for one session; the rest is cut, and said to be


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured."""

    index: Path = Path("skald.db")
    sources: tuple[SourceSettings, ...] = (SourceSettings(),)
    host: str = "127.0.0.1"
    port: int = 8700
    tenant: str = "default"
    retention_ms: int = 90 * 86_400_000
    bounce: str = "single_view"
    query_timeout_s: float = 10.0
    max_rows: int = 10_000
    max_series: int = 1_000
    max_points: int = 11_000  # buckets of one series, at most
    points: int = 500  # buckets of one series, when a request does not say
    max_body_bytes: int = 1024 * 1024  # of a request
    api_token: str = field(default="", repr=False)  # bearer; "" = open to all
    api_token_file: Path | None = None  # read again at each request
    cors_origins: tuple[str, ...] = ()  # browsers that may ask directly
    lease_ms: int = 30_000
    log_format: str = "text"
    log_level: str = "info"
