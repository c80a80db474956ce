"""Read YAML so that everything knows where it stands, down to a column in a text."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from app.configuration.problems import nearest
from app.ruler.problems import Problems, shown

_PLAIN = "tag:yaml.org,2002:"
_NULL = f"{_PLAIN}null"
MAX_BYTES = 1 << 20  # of a file


@dataclass(frozen=True, slots=True)
class Spot:
    """A node and what it belongs to."""

    node: yaml.Node
    file: str
    subject: str = ""

    @property
    def place(self) -> str:
        """Return file:line:column."""
        mark = self.node.start_mark
        return f"{self.file}:{mark.line + 1}:{mark.column + 1}"

    @property
    def text(self) -> str:
        """Return the text of a scalar, "" of anything else."""
        node = self.node
        is_text = isinstance(node, yaml.ScalarNode) and node.tag != _NULL
        return str(node.value) if is_text else ""

    def at(self, line: int, column: int) -> str:
        """Return the place of a position (from 1) in the text of this scalar."""
        mark, style = self.node.start_mark, getattr(self.node, "style", None)
        if style == "|":
            indent = _indent(mark)
            return f"{self.file}:{mark.line + 1 + line}:{indent + column}"
        if style == ">" or (line > 1 and style is None):
            return self.place  # folded: the lines are not those of the file
        quote = int(style in {"'", '"'})
        return f"{self.file}:{mark.line + line}:{mark.column + quote + column}"


def _indent(mark: yaml.Mark) -> int:
    """Return how far the first line of a block is indented."""
    lines = (mark.buffer or "")[mark.pointer :].split("\n")[1:]
    for line in lines:
        if line.strip("\0 "):
            return len(line) - len(line.lstrip(" "))
    return 0


class Nodes:
    """Takes mappings, lists and texts apart; what is wrong goes to *problems*."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems

    def root(self, path: Path) -> Spot | None:
        """Read the file; None when there is nothing to be read, which is a problem."""
        try:
            node = _compose(_read(path))
        except OSError as error:
            self._add(f"cannot be read: {error.strerror}; check path and rights")
        except UnicodeDecodeError:
            self._add("is not text in UTF-8; save it as such")
        except ValueError as error:
            self._add(str(error))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            what = getattr(error, "problem", None) or str(error).split("\n")[0]
            fact = f"is not YAML: {what}; mend it there or just before"
            self._problems.add(f"{self._file}{place}", "", fact)
        else:
            if node is not None:
                return Spot(node, self._file)
            self._add("is empty; begin it with `groups:`")
        return None

    def _add(self, what: str) -> None:
        self._problems.add(self._file, "", what)

    def mapping(self, spot: Spot, known: tuple[str, ...]) -> dict[str, Spot]:
        """Return what stands under each key; unknown ones and repetitions are wrong."""
        if not isinstance(spot.node, yaml.MappingNode):
            keys = ", ".join(known)
            self.refuse(spot, f"is no mapping; write `key: value`, with keys: {keys}")
            return {}
        found: dict[str, Spot] = {}
        for key, value in spot.node.value:
            name = Spot(key, self._file, spot.subject)
            if known and name.text not in known:
                what = f"no key {shown(name.text)}; {nearest(name.text, known)}"
                self.refuse(name, what)
            elif name.text in found:
                self.refuse(name, f"{shown(name.text)} stands here twice; keep one")
            else:
                found[name.text] = Spot(value, self._file, spot.subject)
        return found

    def items(self, spot: Spot) -> list[Spot]:
        """Return the items of a list."""
        if isinstance(spot.node, yaml.SequenceNode):
            return [Spot(each, self._file, spot.subject) for each in spot.node.value]
        if not (isinstance(spot.node, yaml.ScalarNode) and spot.node.tag == _NULL):
            self.refuse(spot, "is no list; begin each item with `- `")
        return []

    def texts(self, spot: Spot) -> dict[str, Spot]:
        """Return a mapping of names to texts."""
        found = self.mapping(spot, ())
        for name, value in found.items():
            if not isinstance(value.node, yaml.ScalarNode):
                self.refuse(value, f"{name}: is no text; write `{name}: text`")
        return found

    def refuse(self, spot: Spot, what: str) -> None:
        """Note what is wrong with a node."""
        self.refuse_at(spot.place, spot.subject, what)

    def refuse_at(self, place: str, subject: str, what: str) -> None:
        """Note what is wrong at a place."""
        self._problems.add(place, subject, what)


def _read(path: Path) -> str:
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB; divide it")
    return data.decode()


def _compose(text: str) -> yaml.Node | None:
    loader = yaml.SafeLoader(text)
    try:
        return loader.get_single_node()
    except RecursionError:
        raise ValueError("is nested too deeply; no rule goes that deep") from None
    finally:
        loader.dispose()
