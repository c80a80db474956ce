"""Read a request's parameters as Loki does; hold the reply."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.demo.standin.errors import Refused
from app.demo.standin.limits import Limits
from app.demo.standin.times import (
    NS_PER_S,
    go_duration,
    parse_duration,
    parse_instant,
    short_duration,
)

JSON_UTF8 = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=utf-8"
DEFAULT_LIMIT = 100
DEFAULT_POINTS = 250  # a metric query without a step has about this many


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its path, its parameters from URL and form, headers in lower case."""

    method: str
    path: str
    params: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    now_ns: int
    dice: random.Random | None = None

    def one(self, name: str) -> str:
        """Return the first value of a parameter, empty when it is not given."""
        values = self.params.get(name)
        return values[0] if values else ""

    def instant(self, name: str, default: int) -> int:
        """Return a time as epoch ns."""
        text = self.one(name)
        try:
            return parse_instant(text) if text else default
        except ValueError as err:
            raise Refused(str(err)) from None

    def bounds(self, default_ns: int) -> tuple[int, int]:
        """Return start and end, epoch ns; the start is *default_ns* before the end."""
        end = self.instant("end", self.now_ns)
        since = self.one("since")
        span = parse_duration(since) if since else default_ns
        if span is None:
            raise Refused(f'not a valid duration string: "{since}"')
        start = self.instant("start", min(end, self.now_ns) - span)
        if end < start:
            raise Refused("end timestamp must not be before or equal to start time")
        return start, end


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: ``entries`` log lines in it; held and never sent when ``too_large``."""

    body: bytes = b""
    status: int = 200
    content_type: str | None = JSON_UTF8
    entries: int = 0
    too_large: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def read_limit(text: str) -> int:
    """Return how many entries are wanted at most."""
    if not text:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[+-]?\d+", text):
        raise Refused(f'strconv.Atoi: parsing "{text}": invalid syntax')
    limit = int(text)
    if limit <= 0:
        raise Refused("limit must be a positive value")
    return limit


def read_forward(text: str) -> bool:
    """Tell whether the oldest entries come first; the newest do by default."""
    if text.upper() not in ("", "FORWARD", "BACKWARD"):
        raise Refused(f"invalid direction '{text}'")
    return text.upper() == "FORWARD"


def read_step(text: str, start: int, end: int, limits: Limits) -> int:
    """Return the step of a metric query, ns: given as seconds or as a duration."""
    if not text:
        return max((end - start) // NS_PER_S // DEFAULT_POINTS, 1) * NS_PER_S
    try:
        step: int | None = round(float(text) * 1000) * 1_000_000
    except (ValueError, OverflowError):
        step = parse_duration(text)
    if step is None:
        raise Refused(f'cannot parse "{text}" to a valid duration')
    if step <= 0:
        raise Refused(
            "zero or negative query resolution step widths are not accepted."
            " Try a positive integer"
        )
    if (end - start) // step > limits.max_points:
        raise Refused(
            f"exceeded maximum resolution of {limits.max_points:,} points per time"
            " series. Try increasing the value of the step parameter"
        )
    return step


def check_length(length_ns: int, limits: Limits) -> None:
    """Refuse a range that is too long."""
    if length_ns > limits.max_query_length_s * NS_PER_S:
        raise Refused(
            "the query time range exceeds the limit (query length:"
            f" {go_duration(length_ns)}, limit: {short_duration(limits.max_query_length_s)})"
        )
