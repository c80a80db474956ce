"""Read one OpenObserve event, whether it is nested or was flattened on its way.

Flattening joins lower-cased keys by ``_``, three levels deep; what lies deeper, and
every array, becomes a string of JSON.
"""

import re
from collections.abc import Iterator
from typing import Any

import orjson

PREFIXES = ("_oo", "_o2")  # the SDK's own fields, before and after its renaming
_FLAT = ("session_id", "application_id", "view_id")
_ODD = re.compile(r"[^a-z0-9]")
_DEPTH = 6


class Record:
    """One event; paths are dotted, as the SDK nests them."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self._is_flat = any(name in fields for name in _FLAT)

    def get(self, path: str) -> Any:
        """Return what stands at *path*, or None."""
        found = self._fields.get(path)
        if found is not None:
            return found
        found = self._nested(path)
        if found is None and self._is_flat:
            return self._flat(path)
        return found

    def own(self, path: str) -> Any:
        """Return what the SDK says of itself, under either of its prefixes."""
        for prefix in PREFIXES:
            found = self.get(f"{prefix}.{path}")
            if found is not None:
                return found
        return None

    def listed(self, path: str) -> list[Any]:
        """Return the array at *path*; one value is an array as well."""
        found = _parsed(self.get(path))
        if isinstance(found, list):
            return found
        return [] if found is None else [found]

    def below(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (name, value) of all that stands under *path*, named as if flattened."""
        found = _parsed(self._fields.get(path))
        if isinstance(found, dict):
            yield from _leaves(found, "", _DEPTH)
        prefix = f"{path}_"
        if self._is_flat:
            for name, value in self._fields.items():
                if name.startswith(prefix):
                    parsed = _parsed(value)
                    rest = name[len(prefix) :]
                    if isinstance(parsed, dict):
                        yield from _leaves(parsed, f"{rest}_", _DEPTH)
                    else:
                        yield rest, value

    def _nested(self, path: str) -> Any:
        here: Any = self._fields
        for step in path.split("."):
            if not isinstance(here, dict):
                return None
            here = here.get(step)
        return here

    def _flat(self, path: str) -> Any:
        """Find *path* among flattened keys, or in the JSON that one of them holds."""
        steps = path.split(".")
        for depth in range(len(steps), 0, -1):
            here = self._fields.get("_".join(steps[:depth]))
            if here is None:
                continue
            for step in steps[depth:]:
                here = _parsed(here)
                here = here.get(step) if isinstance(here, dict) else None
            return here
        return None


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return orjson.loads(value)
        except (orjson.JSONDecodeError, RecursionError):
            return value
    return value


def _leaves(
    fields: dict[str, Any], prefix: str, depth: int
) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        path = prefix + _ODD.sub("_", name.lower())
        if isinstance(value, dict) and depth:
            yield from _leaves(value, f"{path}_", depth - 1)
        else:
            yield path, value
