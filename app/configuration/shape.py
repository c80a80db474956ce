"""Say how settings nest, and what each is called in the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.settings import (
    EventSettings,
    LokiSettings,
    MappingSettings,
    RemoteWriteSettings,
    SamplingSettings,
    Setting,
    Settings,
    SourceSettings,
    declared,
)

PREFIX = "SKALD"
CONFIG = "SKALD_CONFIG"  # names the file; not a setting itself

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What one section may hold: settings, sections and lists of sections."""

    room: type
    sections: Mapping[str, "Shape"] = field(default_factory=dict)
    lists: Mapping[str, "Shape"] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, tuple[str, Setting]]:
        """List its settings: key → (field, declaration)."""
        return declared(self.room)

    @property
    def secret_files(self) -> dict[str, str]:
        """List the keys that name a file to read a secret from: key → secret's key."""
        settings = self.settings
        named = {
            f"{key}_file": key for key, (_, each) in settings.items() if each.is_secret
        }
        return {name: key for name, key in named.items() if name not in settings}

    @property
    def keys(self) -> list[str]:
        """List everything that may stand in it."""
        return [*self.settings, *self.secret_files, *self.sections, *self.lists]


LOKI = Shape(LokiSettings)
EVENT = Shape(EventSettings)
MAPPING = Shape(MappingSettings, lists={"events": EVENT})
SAMPLING = Shape(SamplingSettings)
SOURCE = Shape(
    SourceSettings,
    sections={"loki": LOKI, "mapping": MAPPING},
    lists={"sampling": SAMPLING},
)
REMOTE = Shape(RemoteWriteSettings)
ROOT = Shape(
    Settings,
    sections={"loki": LOKI},
    lists={"sources": SOURCE, "remote_write": REMOTE},
)


def leaves(shape: Shape) -> list[Path]:
    """List the paths of all settings of *shape*; those in lists are not among them."""
    own: list[Path] = [(key,) for key in (*shape.settings, *shape.secret_files)]
    for name, section in shape.sections.items():
        own += [(name, *path) for path in leaves(section)]
    return own


def variable(path: Path) -> str:
    """Name the environment variable of a path: ``SKALD_SOURCES_0_LOKI_URL``."""
    return "_".join([PREFIX, *map(str, path)]).upper()


def spell(path: Path) -> str:
    """Write a path as people say it: ``sources[0].loki.url``."""
    text = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in path
    )
    return text.removeprefix(".")
