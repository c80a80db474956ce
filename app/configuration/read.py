"""Read the tree by what is declared; note what is unknown, misplaced or cannot be."""

import re
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from app.configuration.kinds import KINDS, MAX_TEXT
from app.configuration.problems import Problems, nearest
from app.configuration.shape import ROOT, Path, Shape, leaves, spell
from app.configuration.show import MASK, show_value
from app.configuration.tree import Given, Items, Node, Section
from app.settings import Setting

_LISTS = {"origins", "paths", "urls"}  # kinds that may be written as a list of texts
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Value:
    """One value that was given, and where."""

    value: Any
    place: str


Values = dict[str, Value]  # by field


class Reader:
    """Reads sections; what is wrong goes to *problems*."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def values(self, section: Section, shape: Shape, path: Path = ()) -> Values:
        """Read the settings that stand in *section*, but not the sections in it."""
        found: Values = {}
        for key, node in section.items.items():
            here = (*path, key)
            if key in shape.settings:
                field, note = shape.settings[key]
                value = self._value(node, note, here)
            elif key in shape.secret_files:
                field = shape.secret_files[key]
                if field in section.items:
                    self._add(node.place, here, f"and {field} are both set; keep one")
                value = self._secret(node, here)
            else:
                continue
            found |= {field: value} if value else {}
        self._refuse_unknown(section, shape, path)
        return found

    def section(self, parent: Section, key: str, path: Path = ()) -> Section:
        """Return the section under *key*, empty if there is none."""
        node = parent.items.get(key, Section(parent.place))
        return self._as_section(node, (*path, key))

    def sections(self, parent: Section, key: str, path: Path = ()) -> list[Section]:
        """Return the sections of the list under *key*, none if there is no list."""
        here = (*path, key)
        node = parent.items.get(key, Items(parent.place))
        if not isinstance(node, Items):
            self._add(node.place, here, "is no list; begin each item with `- `")
            return []
        return [self._as_section(each, (*here, i)) for i, each in enumerate(node.nodes)]

    def _as_section(self, node: Node, path: Path) -> Section:
        if isinstance(node, Section):
            return node
        if not (isinstance(node, Given) and node.text is None):
            self._add(node.place, path, "is no section; write `key: value` under it")
        return Section(node.place)

    def _refuse_unknown(self, section: Section, shape: Shape, path: Path) -> None:
        for key, place in section.key_places.items():
            if key not in shape.keys:
                what = f"is no setting; {_hint(key, shape)}"
                self._problems.add(place, f"{spell((*path, key))} {what}")

    def _value(self, node: Node, note: Setting, path: Path) -> Value | None:
        text = self._text(node, note, path)
        if text is None:
            return None
        base = node.base if isinstance(node, Given) else FilePath()
        try:
            value = KINDS[note.kind](text, note, base)
            _check_bounds(value, note)
        except ValueError as err:
            shown = MASK if note.is_secret else repr(_mask(text))
            self._add(node.place, path, f"{shown} {err}")
            return None
        return Value(value, node.place)

    def _text(self, node: Node, note: Setting, path: Path) -> str | None:
        texts = node.nodes if isinstance(node, Items) else [node]
        plain = [
            each.text
            for each in texts
            if isinstance(each, Given) and each.text is not None
        ]
        if len(plain) < len(texts) or (
            isinstance(node, Items) and note.kind not in _LISTS
        ):
            is_empty = isinstance(node, Given)
            what = (
                "is empty; give it a value or remove it"
                if is_empty
                else "is no single value; write `key: value`"
            )
            self._add(node.place, path, what)
            return None
        return ",".join(plain)

    def _secret(self, node: Node, path: Path) -> Value | None:
        """Read a secret from the file that *node* names."""
        note = Setting("file", "")
        named = self._value(node, note, path)
        if named is None:
            return None
        try:
            text = named.value.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            text = ""
        if not text or len(text) > MAX_TEXT or not text.isprintable():
            self._add(
                node.place, path, "names a file that holds no secret: one line of text"
            )
            return None
        return Value(text, node.place)

    def _add(self, place: str, path: Path, what: str) -> None:
        self._problems.add(place, f"{spell(path)}: {what}")


def _hint(key: str, shape: Shape) -> str:
    """Say where *key* belongs: another place of the same name, or a near name."""
    for other in leaves(ROOT):
        if len(other) > 1 and other[-1] == key:
            return f"did you mean {spell(other)}?"
    return nearest(key, shape.keys)


def _check_bounds(value: Any, note: Setting) -> None:
    if note.least is not None and value < note.least:
        raise ValueError(f"is too small; the least is {show_value(note.least, note)}")
    if note.most is not None and value > note.most:
        raise ValueError(f"is too large; the most is {show_value(note.most, note)}")


def _mask(text: str) -> str:
    """Show *text* without what an address may hide, and not all of a long one."""
    text = re.sub(r"(?<=://).*@", f"{MASK}@", text)
    text = re.sub(r"(?<=://)([^?#]*[?#]).+", rf"\1{MASK}", text)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
