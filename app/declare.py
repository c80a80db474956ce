"""Declare a setting where it is a field: its default, its bounds, its help."""

from dataclasses import dataclass, field, fields
from typing import Any

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000  # ms
KIB, MIB = 1 << 10, 1 << 20  # bytes
_NOTE = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting beside its name and its default.

    Attributes:
        kind: how its text is read; one of ``app.configuration.kinds.KINDS``.
        least: smallest value, in the field's own unit; included.
        most: largest value, likewise.
        choices: all values, where they are few.
    """

    kind: str
    help: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """Tell whether its value must never be shown."""
        return self.kind == "secret"


def setting(default: Any, kind: str, help: str, **more: Any) -> Any:  # noqa: A002
    """Declare a field of a settings class: its default, and a ``Setting``."""
    note = Setting(kind, help, **more)
    return field(default=default, repr=not note.is_secret, metadata={_NOTE: note})


def declared(room: type) -> dict[str, tuple[str, Setting]]:
    """List what can be set in a settings class: key → (field, declaration)."""
    return {
        each.name.removesuffix("_ms").removesuffix("_s"): (
            each.name,
            each.metadata[_NOTE],
        )
        for each in fields(room)
        if _NOTE in each.metadata
    }
