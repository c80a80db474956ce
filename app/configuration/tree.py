"""Read YAML into a tree of texts that know where they stand."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from app.configuration.problems import Problems

MAX_DEPTH = 8
MAX_NODES = 20_000
_PLAIN = "tag:yaml.org,2002:"
_NULL = _PLAIN + "null"
_QUOTE = "a value that holds any of : # * & ! % @ { [ needs quotes"


@dataclass(slots=True)
class Given:
    """One text that somebody wrote; None where only a key stands."""

    text: str | None
    place: str
    base: Path  # what its relative paths are relative to


@dataclass(slots=True)
class Section:
    """Keys and what stands under them."""

    place: str
    items: dict[str, "Node"] = field(default_factory=dict)
    key_places: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Items:
    """A list."""

    place: str
    nodes: list["Node"] = field(default_factory=list)


Node = Given | Section | Items


def read_tree(path: Path, problems: Problems) -> Section:
    """Read the file at *path*; what cannot be read is a problem and an empty tree."""
    empty = Section(str(path))
    try:
        root = _compose(path.read_text("utf-8"))
    except OSError as err:
        why = err.strerror or err
        problems.add(str(path), f"cannot be read: {why}; check --config, SKALD_CONFIG")
        return empty
    except UnicodeDecodeError:
        problems.add(str(path), "is not text in UTF-8; save it as such")
        return empty
    except yaml.YAMLError as err:
        problems.add(*_explain(path, err))
        return empty
    if root is None or root.tag == _NULL:
        return empty
    tree = _Planter(path, problems).plant(root)
    if isinstance(tree, Section):
        return tree
    problems.add(
        _place(path, root), "is no mapping; write lines like `index: skald.db`"
    )
    return empty


def _compose(text: str) -> yaml.Node | None:
    loader = yaml.SafeLoader(text)
    try:
        return loader.get_single_node()
    except RecursionError:
        raise yaml.YAMLError("is nested too deeply") from None
    finally:
        loader.dispose()


def _explain(path: Path, err: yaml.YAMLError) -> tuple[str, str]:
    """Say what YAML has against the file, without quoting what may be a secret."""
    mark = getattr(err, "problem_mark", None)
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    parts = [getattr(err, "context", None), getattr(err, "problem", None)]
    text = ", ".join(filter(None, parts)) or getattr(err, "reason", None) or str(err)
    text = re.sub(r"\b(alias|anchor|tag|handle) '.*?'(?=$|[,;])", r"\1", text)
    return place, f"is not YAML: {text}; {_QUOTE}"


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


class _Planter:
    """Makes our tree of YAML's nodes; what means nothing is a problem and left out."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self._left = MAX_NODES  # aliases of aliases grow without end

    def plant(self, node: yaml.Node, depth: int = 0) -> Node | None:
        """Turn *node*, and what stands in it, into ours."""
        place = _place(self._path, node)
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            if self._left >= -1:
                self._problems.add(
                    place, "is nested too deeply; nothing goes that deep"
                )
        elif not node.tag.startswith(_PLAIN):
            self._problems.add(
                place, f"has a tag (!...), which means nothing; {_QUOTE}"
            )
        elif isinstance(node, yaml.MappingNode):
            return self._section(node, place, depth)
        elif isinstance(node, yaml.SequenceNode):
            planted = [self.plant(each, depth + 1) for each in node.value]
            return Items(place, [each for each in planted if each is not None])
        elif isinstance(node, yaml.ScalarNode):
            text = None if node.tag == _NULL else node.value
            return Given(text, place, self._path.parent)
        return None

    def _section(self, node: yaml.MappingNode, place: str, depth: int) -> Section:
        section = Section(place)
        for key, value in node.value:
            at = _place(self._path, key)
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            if name in section.key_places:
                first = section.key_places[name]
                self._problems.add(at, f"{name!r} stands at {first} already; keep one")
                continue
            section.key_places[name] = at
            planted = self.plant(value, depth + 1)
            if planted is not None:
                section.items[name] = planted
        return section
