"""Lay the environment over the tree of the file: the same paths, in capitals."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path as FilePath

from app.configuration.problems import Problems, nearest
from app.configuration.shape import (
    CONFIG,
    PREFIX,
    ROOT,
    SOURCE,
    Path,
    leaves,
    variable,
)
from app.configuration.tree import Given, Items, Node, Section

_SOURCES = f"{PREFIX}_SOURCES_"
_SOURCE = re.compile(rf"{_SOURCES}(\d{{1,3}})_(.+)")
# Kubernetes tells every pod about a service called skald in variables of these names:
# kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_KUBERNETES = re.compile(rf"{PREFIX}_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))(_.*)?")
_LINK = re.compile(r"(tcp|udp)://[^ ]*")


def overlay(tree: Section, environ: Mapping[str, str], problems: Problems) -> None:
    """Put what *environ* says into *tree*; an empty variable says nothing."""
    known = {variable(path): path for path in leaves(ROOT)}
    said = {
        name: text
        for name, text in environ.items()
        if name.startswith(f"{PREFIX}_") and name != CONFIG and text
        if not _is_link(name, text)
    }
    for name in sorted(said, key=_in_order):
        path = known.get(name) or _path_in_source(name)
        if path is None:
            example = [variable(("sources", 0, *path)) for path in leaves(SOURCE)]
            hint = nearest(name, [*known, *example])
            hint = hint if hint.startswith("did") else "see docs/reference/settings.md"
            problems.add(name, f"is no setting; {hint}")
        else:
            _put(tree, path, Given(said[name], name, FilePath()), problems)


def _is_link(name: str, text: str) -> bool:
    return bool(_KUBERNETES.fullmatch(name)) or (
        name == variable(("port",)) and bool(_LINK.fullmatch(text))
    )


def _in_order(name: str) -> tuple[int, str]:
    found = _SOURCE.fullmatch(name)
    return (int(found[1]) if found else -1, name)


def _path_in_source(name: str) -> Path | None:
    found = _SOURCE.fullmatch(name)
    inner = {variable(path).removeprefix(PREFIX): path for path in leaves(SOURCE)}
    path = inner.get(f"_{found[2]}") if found else None
    return ("sources", int(found[1]), *path) if found and path else None


def _put(tree: Section, path: Path, given: Given, problems: Problems) -> None:
    """Set the leaf at *path*, making what it stands in."""
    here: Node = tree
    for step, following in pairwise(path):
        made = (
            Items(given.place) if isinstance(following, int) else Section(given.place)
        )
        below: Node | None = None
        if isinstance(here, Section) and isinstance(step, str):
            below = here.items.setdefault(step, made)
        elif isinstance(here, Items) and isinstance(step, int):
            if step > len(here.nodes):
                last = len(here.nodes)
                problems.add(given.place, f"there is no source {last} yet; use {last}")
                return
            here.nodes += [made] * (step == len(here.nodes))
            below = here.nodes[step]
        if type(below) is not type(made):
            return  # the file has something else there, which is a problem of its own
        here = below
    if isinstance(here, Section):
        here.items[str(path[-1])] = given
