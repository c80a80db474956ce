"""Tell apart what can go wrong with a request, and what to do about it."""

import re

from app.errors import SourceError, SourceRefused, SourceUnavailable

SHOWN = 500  # characters of Loki's own text in a message


class Cut(SourceUnavailable):
    """An answer broke off, or never began; fewer bytes may come through."""


class Passing(SourceUnavailable):
    """Trouble that Loki itself expects to pass: 429 and 5xx."""

    def __init__(self, message: str, reason: str, retry_after: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after


class LimitTooHigh(SourceRefused):
    """More entries were asked for than this Loki gives at once."""

    def __init__(self, message: str, maximum: int) -> None:
        super().__init__(message)
        self.maximum = maximum


class RangeTooLong(SourceRefused):
    """A longer time was asked for than this Loki allows."""

    def __init__(self, message: str, longest_s: float) -> None:
        super().__init__(message)
        self.longest_s = longest_s


class TooMuch(SourceRefused):
    """One answer would cost more than this Loki allows; a shorter time may pass."""


_LIMIT = re.compile(r"max_entries_limit\S* \((\d+) > (\d+)\)")
_RANGE = re.compile(r"query length: [^,]+, limit: (\w[\w.]*)\)")
_TOO_MUCH = re.compile(
    r"too many bytes|bytes_read|maximum (number )?of series|query timed out|timed out, "
    r"decrease|context deadline exceeded|cardinality|too many chunks|too large",
    re.IGNORECASE,
)
_MESSAGE_SIZE = re.compile(r"message larger than max|ResourceExhausted", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|y|w|d|h|m|s)")
_SECONDS = {
    "y": 365 * 86_400.0,
    "w": 7 * 86_400.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
}
_REMEDIES = {
    401: "it does not know who asks: check loki.token, loki.token_file, or "
    "loki.username and loki.password (no org id: loki.tenant)",
    403: "these credentials may not read this tenant: check loki.tenant and the "
    "permissions of loki.token or loki.username",
    404: "there is no Loki API at this address: check loki.url and its path prefix",
}


def parse_duration(text: str) -> float:
    """Return the seconds of a Go or Prometheus duration (``30d1h``); 0 when it is none."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return 0.0
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def explain(status: int, text: str, retry_after: str, place: str) -> SourceError:
    """Turn an answer that is no success into the error to raise.

    Args:
        status: of HTTP.
        text: the body, cut; Loki's own words.
        retry_after: the header, or empty.
        place: the address asked, without credentials.
    """
    said = _said(text)
    if _MESSAGE_SIZE.search(said):
        return Cut(f"Loki cannot send that much at once: {said}")
    if status == 429 or status >= 500:  # noqa: PLR2004 - HTTP
        if status != 429 and _TOO_MUCH.search(said):  # noqa: PLR2004 - HTTP
            return TooMuch(f"Loki at {place} gave up on the query: {said}")
        reason = "429" if status == 429 else "5xx"  # noqa: PLR2004 - HTTP
        return Passing(f"Loki at {place} answers {status}: {said}", reason, retry_after)
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP
        return SourceRefused(f"{place} sends us elsewhere ({status}); check loki.url")
    if status in _REMEDIES:
        return SourceRefused(
            f"Loki at {place} answers {status}: {said}; {_REMEDIES[status]}"
        )
    return _explain_refusal(said)


def _explain_refusal(said: str) -> SourceError:
    message = f"Loki refused the query: {said}"
    if found := _LIMIT.search(said):
        return LimitTooHigh(message, int(found[2]))
    if found := _RANGE.search(said):
        return RangeTooLong(message, parse_duration(found[1]))
    if _TOO_MUCH.search(said):
        return TooMuch(message)
    return SourceRefused(message)


def _said(text: str) -> str:
    """Make *text* fit for one line of a message."""
    if "<html" in text[:1000].lower():
        return "a web page, not Loki's answer"
    return " ".join(text.split())[:SHOWN] or "(no text)"
