"""Figures of the same sessions or events, of which each part is looked at once."""

from collections.abc import Iterable, Sequence
from threading import Lock

from app.sessionql.evaluate import Cell, bounds_of
from app.sessionql.literals import write_number
from app.sessionql.plan import Leaf
from app.store.columns.figures import Figure
from app.store.columns.groups import Groups
from app.store.columns.parts import NotInColumns, Part
from app.store.columns.question import Question

MOST_HELD = 4 << 20  # bytes of values, of figures that are made together
MOST_OF_ALL = 20 << 20  # bytes of those who hold more, in a process


class Answering:
    """Leaves with the same filter and labels, being answered.

    Attributes:
        question: which sessions.
        figures: of each leaf.
    """

    def __init__(
        self, question: Question, groups: Groups, figures: dict[Leaf, Figure]
    ) -> None:
        self.question, self.groups, self.figures = question, groups, figures

    def take(self, part: Part) -> None:
        """Look at the sessions of a part."""
        raise NotImplementedError

    def cells(self, leaf: Leaf) -> list[Cell]:
        """Name the groups; of several quantiles and of buckets, a cell each."""
        keys, columns = self.figures[leaf].result()
        labels, begins = self.groups.named(keys, self.question.texts)
        names: list[tuple[str, ...]] = [()]
        if leaf.function == "histogram":
            names = [(each,) for each in bounds_of(leaf)]
        elif leaf.function == "quantile" and len(leaf.points) > 1:
            names = [(write_number(each),) for each in leaf.points]
        return [
            ((*label, *name), begin, value)
            for name, column in zip(names, columns, strict=True)
            for label, begin, value in zip(labels, begins, column, strict=True)
        ]


class _Room:
    """How much those who look at parts hold beyond ``MOST_HELD``; for all threads."""

    def __init__(self) -> None:
        self._taken = 0
        self._lock = Lock()

    def take(self, held: int, taken: int) -> int | None:
        """Take room for *held* bytes, of one who has taken some.

        Returns:
            How much that one has taken now; None when there is no more.
        """
        wanted = held if held > MOST_HELD else 0
        with self._lock:
            if wanted and self._taken - taken + wanted > MOST_OF_ALL:
                return None
            self._taken += wanted - taken
        return wanted


_ROOM = _Room()


def look(every: Sequence[Answering]) -> None:
    """Look at all parts, each once for all that ask about it.

    Those that are for the tables to answer lose their figures, and figures that hold
    more values together than there is room for are let go but for one.
    """
    lists: dict[int, list[Answering]] = {}
    for each in every:
        lists.setdefault(id(each.question.parts), []).append(each)
    first, taken = True, 0
    try:
        for those in lists.values():
            for part in those[0].question:
                for each in those:
                    _take(each, part)
                room = _ROOM.take(_held(every), taken)
                if room is None:
                    _let_go(those, keep_first=first)
                taken = taken if room is None else room
            first = False
    finally:
        _ROOM.take(0, taken)


def _take(each: Answering, part: Part) -> None:
    try:
        if each.figures:
            each.take(part)
    except NotInColumns:
        each.figures.clear()


def _held(those: Iterable[Answering]) -> int:
    return sum(figure.nbytes for each in those for figure in each.figures.values())


def _let_go(those: list[Answering], *, keep_first: bool) -> None:
    """Forget figures that hold values, until few are held; the last ones first."""
    kept = 1 if keep_first else 0
    holding = [
        (each, leaf)
        for each in those
        for leaf, figure in each.figures.items()
        if figure.nbytes
    ]
    while len(holding) > kept and _held(those) > MOST_HELD:
        each, leaf = holding.pop()
        del each.figures[leaf]
