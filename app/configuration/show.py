"""Write settings as people write them; secrets masked."""

from collections.abc import Callable
from typing import Any

import yaml

from app.configuration.shape import ROOT, Shape
from app.configuration.units import format_duration, format_size
from app.settings import Setting, Settings

MASK = "***"


def show_value(value: Any, note: Setting) -> str:
    """Write *value*, which is in its field's own unit, with its unit."""
    if value is None:
        return ""
    write = _WRITERS.get(note.kind, str)
    return write(value)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "secret": lambda value: MASK if value else "",
    "duration": format_duration,
    "seconds": lambda value: format_duration(value * 1_000),
    "whole_seconds": lambda value: format_duration(value * 1_000),
    "size": format_size,
    "share": lambda value: f"{100 * value:.7g}%",
    "boolean": lambda value: "true" if value else "false",
    "origins": ",".join,
    "paths": ",".join,
    "urls": ",".join,
}
_IDLE = {
    "mapping",
    "sampling",
}  # sections that are not worth a word when nothing is set
_PLAIN = {"whole", "boolean"}  # kinds that YAML has itself


def show_settings(settings: Settings) -> str:
    """Write *settings*, all that are in effect, as ``skald.yml`` has them."""
    plain = _plain(settings, ROOT)
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def _plain(room: Any, shape: Shape) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, (field, note) in shape.settings.items():
        value = getattr(room, field)
        text = show_value(value, note)
        if text:
            shown[key] = value if note.kind in _PLAIN else text
    for key, inner in shape.sections.items():
        if hasattr(room, key) and not (
            key in _IDLE and getattr(room, key) == inner.room()
        ):
            shown[key] = _plain(getattr(room, key), inner)
    for key, inner in shape.lists.items():
        listed = [_plain(each, inner) for each in getattr(room, key)]
        if listed or key not in _IDLE:
            shown[key] = listed
    return shown


class _Dumper(yaml.SafeDumper):
    """Writes texts bare where they may be."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write what is equal again, in full."""
        return True
