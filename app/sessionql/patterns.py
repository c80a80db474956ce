"""Regular expressions of RE2, the syntax of Prometheus and Loki: time is linear."""

from functools import lru_cache

import re2

from app.errors import BadRequest

MAX_PATTERN = 1_000  # characters


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> "re2._Regexp":
    """Compile a pattern.

    Raises:
        BadRequest: it is none, or too long.
    """
    if len(pattern) > MAX_PATTERN:
        raise BadRequest(
            f"a pattern has at most {MAX_PATTERN:,} characters, not {len(pattern):,}"
        )
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0] if error.args else ""
        reason = text.decode() if isinstance(text, bytes) else str(text)
        raise BadRequest(f"bad pattern {pattern!r}: {reason}") from error


def matches(pattern: str, value: str | None) -> bool:
    """Return whether the whole *value* matches, as a Prometheus matcher would."""
    text = (value or "").encode()  # of bytes no spans are counted in characters
    return compile_pattern(pattern).fullmatch(text) is not None
