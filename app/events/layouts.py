"""Read the items of Faro lines by their layout: which keys stand in which order.

A receiver writes the keys of equal events in equal order, so a few dozen layouts make up
nearly all lines. An item is read by a layout only where every one of its keys is as the
layout says; then what is wanted stands at known places, and the rest need not be read.
"""

from typing import Final

from app.events import faro_items
from app.events.faro_items import Fields, Item

REMEMBERED: Final = 512  # layouts; more are not of one world, and all are forgotten
_CONSTANT: Final = frozenset({"kind", "event_name", "type"})  # tell what is wanted


class Layout:
    """The keys of an item, in their order, and where what is wanted stands.

    Attributes:
        reader: says what such an item means.
    """

    def __init__(self, pieces: list[str], fields: Fields, wanted: Fields) -> None:
        """Describe items such as that of *pieces*.

        Args:
            pieces: ``key=value`` or ``key="value"``, one a field.
            fields: what the item says.
            wanted: the fields that are to be read.
        """
        self.reader = faro_items.reader_of(fields)
        bare = [f"{key}={value}" for key, value in fields.items()]
        ends = ["=" if piece in bare else '="' for piece in pieces]
        self._begins = [key + end for key, end in zip(fields, ends, strict=True)]
        self._quoted = [place for place, end in enumerate(ends) if end != "="]
        self._wanted = [
            (name, place, len(begin), int(place in self._quoted))
            for place, (name, begin) in enumerate(
                zip(fields, self._begins, strict=True)
            )
            if name in wanted
        ]
        self._fixed = [n for n, name in enumerate(fields) if name in _CONSTANT]
        self._pieces = pieces

    def take(self, pieces: list[str], quotes: int) -> Fields | None:
        """Return what is wanted of an item; None if it is not of this layout.

        Args:
            pieces: the item, cut at its blanks.
            quotes: how many stand in it.
        """
        begins = self._begins
        if len(pieces) != len(begins) or quotes != 2 * len(self._quoted):
            return None
        for place in self._fixed:
            if pieces[place] != self._pieces[place]:
                return None
        for begin, piece in zip(begins, pieces):  # noqa: B905  # as long; quicker compiled
            if not piece.startswith(begin):
                return None
        if quotes and not self._is_closed(pieces):
            return None
        found: Fields = {}
        for name, place, start, quote in self._wanted:
            piece = pieces[place]
            end = len(piece) - quote
            if (
                end <= start
            ):  # nobody writes an empty value: it might mean there is none
                return None
            found[name] = piece[start:end]
        return found

    def _is_closed(self, pieces: list[str]) -> bool:
        for place in self._quoted:
            piece = pieces[place]
            if piece.count('"') != 2 or not piece.endswith('"') or "\\" in piece:  # noqa: PLR2004
                return False
        return True


class Layouts:
    """Learns layouts from the items and reads by them, bounded.

    Attributes:
        count: of the layouts known.
    """

    def __init__(self) -> None:
        self._known: dict[
            str, list[Layout]
        ] = {}  # by the second piece, mostly the name
        self.count = 0

    def read(self, text: str) -> Item | None:
        """Return what the item *text* means; None where no layout is known."""
        pieces = text.split(" ")
        known = self._known.get(pieces[1]) if len(pieces) > 1 else None
        if known is None:
            return None
        quotes = text.count('"') if '"' in text else 0
        for layout in known:
            found = layout.take(pieces, quotes)
            if found is not None:
                return faro_items.read_by(layout.reader, found)
        return None

    def learn(self, text: str, fields: Fields) -> None:
        """Remember the layout of the item *text*, which was read whole, as *fields*.

        Not of one with a key twice, an escape or a blank in quotes: these are read whole.
        """
        pieces = text.split(" ")
        wanted = faro_items.select(fields)
        if wanted is None or len(pieces) != len(fields) or len(pieces) == 1:
            return
        layout = Layout(pieces, fields, wanted)
        if layout.take(pieces, text.count('"')) != wanted:
            return
        if self.count >= REMEMBERED:
            self._known.clear()
            self.count = 0
        self.count += 1
        self._known.setdefault(pieces[1], []).append(layout)
