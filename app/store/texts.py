"""List every text that a journal may have put into the index, also in earlier versions.

A session that is derived anew leaves the strings behind that only the old one had; so
whoever erases it looks for all of them.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import astuple

from app.events.decoder import MAX_NAME
from app.model import Kind
from app.sessions.fold import error_of
from app.store.journal import Journal
from app.store.strings import safe

_ERROR = int(Kind.ERROR)


def texts_of(journal: Journal) -> set[str]:
    """Return them as the index holds strings."""
    found: set[str] = set()
    for context in journal.contexts.values():
        for value in astuple(context):
            found.update(_texts(value))
    for event in journal.events:
        found.update(_texts(event.name))
        for name, value in (event.facts or {}).items():
            found.add(f"event.{name}")
            found.update(_texts(value))
        if event.kind == _ERROR:
            found.add(error_of(0, event, "").fingerprint)
    return {safe(each) for each in found if each}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        text = str(value)
        yield text
        yield text[:MAX_NAME]
