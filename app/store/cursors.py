"""Write where a list goes on as a text, and read such a text without trusting it."""

import base64
from typing import Any

import orjson

from app.errors import BadRequest

_LARGEST = 1 << 63


def encode_cursor(parts: list[Any]) -> str:
    """Return *parts* as a text for a URL."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type | tuple[type, ...]) -> list[Any]:
    """Return the parts of *cursor*, one of each of *kinds*.

    Raises:
        BadRequest: it is none of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = orjson.loads(base64.urlsafe_b64decode(padded.encode()))
    except ValueError:
        parts = None
    if (
        not isinstance(parts, list)
        or len(parts) != len(kinds)
        or not all(map(_fits, parts, kinds))
    ):
        raise BadRequest("this is no cursor of ours; start again without one")
    return parts


def _fits(part: Any, kind: type | tuple[type, ...]) -> bool:
    if isinstance(part, bool):
        return kind is bool
    is_huge = isinstance(part, int) and abs(part) >= _LARGEST
    return isinstance(part, kind) and not is_huge
