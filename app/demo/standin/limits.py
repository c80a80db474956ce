"""Hold the limits and quirks that the stand-in copies from a real Loki."""

from dataclasses import dataclass

KIB = 1024
HOUR_S = 3600
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class Limits:
    """What the stand-in refuses and what it adds; the defaults are Loki's own.

    ``max_message_bytes`` copies a single binary Loki whose inner messages are bound
    to 4 MiB: an answer with more than that is never sent. Such a request is held for
    ``hold_s`` seconds, then its connection is closed without a byte. None: no bound.
    """

    max_entries: int = 5000  # largest `limit` of a log query
    max_series: int = 500  # of a metric query
    max_query_length_s: int = 30 * DAY_S + HOUR_S  # end - start
    max_points: int = 11_000  # steps of a metric query
    max_line_bytes: int = 256 * KIB  # of a pushed line
    max_message_bytes: int | None = 4 * KIB * KIB
    hold_s: float = 30.0
    reject_late: bool = True  # refuse what is `late_s` behind its stream's newest
    late_s: int = HOUR_S
    max_age_s: int | None = 7 * DAY_S  # pushed entries older than now - this: refused
    grace_s: int = 600  # pushed entries newer than now + this: refused
    discover_service_name: bool = True  # label `service_name` on every new stream
    discover_log_levels: bool = True  # metadata `detected_level` on every entry
    pace_lines_per_s: float | None = (
        None  # entries of log answers, one answer at a time
    )
    shuffle_ties_seed: int | None = None  # which of equal times fall under the limit
