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
    Path,
    leaves,
    variable,
)
from app.configuration.tree import Given, Items, Node, Section

# SKALD_SOURCES_0_LOKI_URL: the list, the number of its item, what is in that
_ITEM = re.compile(
    rf"{PREFIX}_({'|'.join(map(str.upper, ROOT.lists))})_(\d{{1,3}})_(.+)"
)
_NOUNS = {"sources": "source", "remote_write": "receiver"}
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
        path = known.get(name) or _path_in_item(name)
        if path is None:
            example = [
                variable((each, 0, *path))
                for each, shape in ROOT.lists.items()
                for path in leaves(shape)
            ]
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
    found = _ITEM.fullmatch(name)
    return (int(found[2]) if found else -1, name)


def _path_in_item(name: str) -> Path | None:
    found = _ITEM.fullmatch(name)
    if not found:
        return None
    key = found[1].lower()
    inner = {variable(path): path for path in leaves(ROOT.lists[key])}
    path = inner.get(f"{PREFIX}_{found[3]}")
    return (key, int(found[2]), *path) if path else None


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
                what = f"there is no {_NOUNS[str(path[0])]} {last} yet; use {last}"
                problems.add(given.place, what)
                return
            here.nodes += [made] * (step == len(here.nodes))
            below = here.nodes[step]
        if type(below) is not type(made):
            return  # the file has something else there, which is a problem of its own
        here = below
    if isinstance(here, Section):
        here.items[str(path[-1])] = given
