"""Load the configuration: defaults, then the file, then the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.configuration.checks import (
    check_loki,
    check_mapping,
    check_receivers,
    check_settings,
    check_sources,
)
from app.configuration.environment import overlay
from app.configuration.problems import Problems
from app.configuration.read import Reader, Values
from app.configuration.shape import (
    CONFIG,
    EVENT,
    LOKI,
    MAPPING,
    REMOTE,
    ROOT,
    SAMPLING,
    SOURCE,
)
from app.configuration.shape import Path as Where
from app.configuration.tree import Given, Section, read_tree
from app.settings import (
    EventSettings,
    LokiSettings,
    MappingSettings,
    RemoteWriteSettings,
    SamplingSettings,
    Settings,
    SourceSettings,
)

DEFAULT_FILE = Path("skald.yml")
# A source that names one way of showing who it is has no use for the others.
_SCHEMES = ({"username", "password"}, {"token"}, {"token_file"})


def load_settings(
    path: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Load the settings.

    Args:
        path: of the file; else ``SKALD_CONFIG`` names it, else it is ``skald.yml``
            in the working directory, if that is there.
        environ: the environment; the process's own when left out.

    Raises:
        SettingsError: lists every problem with place, value and remedy.
    """
    environ = os.environ if environ is None else environ
    problems = Problems()
    path = path or _named(environ) or _default()
    tree = read_tree(path, problems) if path else Section("defaults")
    overlay(tree, environ, problems)
    settings = _build(tree, Reader(problems), problems)
    problems.stop_if_any()
    return settings


def _named(environ: Mapping[str, str]) -> Path | None:
    name = environ.get(CONFIG)
    return Path(name) if name else None


def _default() -> Path | None:
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def _build(tree: Section, reader: Reader, problems: Problems) -> Settings:
    own = reader.values(tree, ROOT)
    check_settings(own, problems)
    shared = reader.values(reader.section(tree, "loki"), LOKI, ("loki",))
    check_loki(shared, problems)
    sections = reader.sections(tree, "sources") or [Section(tree.place)]
    found: list[Values] = []
    lokis: list[LokiSettings] = []
    mappings: list[MappingSettings] = []
    samplings: list[tuple[SamplingSettings, ...]] = []
    for index, section in enumerate(sections):
        path: Where = ("sources", index)
        found.append(reader.values(section, SOURCE, path))
        ours = reader.values(
            reader.section(section, "loki", path), LOKI, (*path, "loki")
        )
        if ours:
            check_loki(_inherit(shared, ours), problems)
        lokis.append(LokiSettings(**_bare(_inherit(shared, ours))))
        mappings.append(_mapping(section, reader, path, problems))
        samplings.append(_sampling(section, reader, path))
    check_sources(found, [section.place for section in sections], problems)
    sources = tuple(
        SourceSettings(**_bare(values), loki=loki, mapping=mapping, sampling=sampling)
        for values, loki, mapping, sampling in zip(
            found, lokis, mappings, samplings, strict=True
        )
    )
    receivers = _receivers(tree, reader, problems)
    return Settings(**_bare(own), sources=sources, remote_write=receivers)


def _mapping(
    section: Section, reader: Reader, path: Where, problems: Problems
) -> MappingSettings:
    """Read how the lines of a mapped source are read."""
    here = (*path, "mapping")
    own = reader.section(section, "mapping", path)
    values = reader.values(own, MAPPING, here)
    events = tuple(
        EventSettings(**_bare(reader.values(each, EVENT, (*here, "events", index))))
        for index, each in enumerate(reader.sections(own, "events", here))
    )
    mapping = MappingSettings(**_bare(values), events=events)
    said = section.items.get("format")
    if isinstance(said, Given) and said.text == "mapped":
        check_mapping(mapping, own.place, here, problems)
    return mapping


def _sampling(
    section: Section, reader: Reader, path: Where
) -> tuple[SamplingSettings, ...]:
    """Read at which rates the sessions of a source are sampled."""
    here = (*path, "sampling")
    return tuple(
        SamplingSettings(**_bare(reader.values(each, SAMPLING, (*here, index))))
        for index, each in enumerate(reader.sections(section, "sampling", path))
    )


def _receivers(
    tree: Section, reader: Reader, problems: Problems
) -> tuple[RemoteWriteSettings, ...]:
    sections = reader.sections(tree, "remote_write")
    found = [
        reader.values(section, REMOTE, ("remote_write", index))
        for index, section in enumerate(sections)
    ]
    check_receivers(found, [section.place for section in sections], problems)
    return tuple(RemoteWriteSettings(**_bare(values)) for values in found)


def _inherit(shared: Values, ours: Values) -> Values:
    """Lay what a source says of its Loki over what is said for all."""
    said = [scheme for scheme in _SCHEMES if scheme & ours.keys()]
    idle = {name for each in _SCHEMES if said and each not in said for name in each}
    return {name: each for name, each in shared.items() if name not in idle} | ours


def _bare(values: Values) -> dict[str, Any]:
    return {name: each.value for name, each in values.items()}
