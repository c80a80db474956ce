"""Say how others are reached: where logs come from, and who samples are written to."""

from dataclasses import dataclass
from pathlib import Path

from app.declare import DAY, HOUR, KIB, MIB, SECOND, setting


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
        5,
        "whole",
        "Pages fetched ahead of the decoder, at most three of them at once.",
        least=0,
        most=16,
    )


@dataclass(frozen=True, slots=True)
class RemoteWriteSettings:
    """Who recorded samples are written to."""

    name: str = setting(
        "prometheus",
        "name",
        "Unique; how far it has been told is kept under it, so it should not change.",
    )
    url: str = setting(
        "http://localhost:9090/api/v1/write",
        "url",
        "Where it takes remote write 1.0; of Mimir, `.../api/v1/push`.",
    )
    tenant: str = setting("", "text", "Sent as `X-Scope-OrgID`; empty sends none.")
    username: str = setting("", "text", "For basic authentication.")
    password: str = setting("", "secret", "For basic authentication.")
    token: str = setting("", "secret", "Sent as bearer token.")
    token_file: Path | None = setting(
        None, "file", "File that holds the bearer token; read again when it changes."
    )
    ca_file: Path | None = setting(
        None, "file", "Certificates (PEM) to trust instead of the usual ones."
    )
    timeout_s: float = setting(
        30.0, "seconds", "How long one request may take.", least=0.1, most=600
    )
    interval_ms: int = setting(
        5 * SECOND,
        "duration",
        "How often to look for what is new.",
        least=100,
        most=HOUR,
    )
    start_ms: int = setting(
        HOUR,
        "duration",
        "How old the oldest sample is that it gets when it is new here.",
        least=0,
        most=3_650 * DAY,
    )
    out_of_order_ms: int = setting(
        0,
        "duration",
        "How far back it takes samples out of order; not more than what it is set to "
        "itself. Corrections that are older are counted and left out, with 0 all.",
        least=0,
        most=3_650 * DAY,
    )
    samples: int = setting(
        2_000, "whole", "Samples of one request, at most.", least=1, most=100_000
    )
    bytes: int = setting(
        MIB,
        "size",
        "Size of one request before it is compressed, at most.",
        least=4 * KIB,
        most=64 * MIB,
    )
