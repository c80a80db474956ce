"""Which sessions are meant: conditions on a session, on an event of it, on their order."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.catalog.fields import KINDS, find, kinds_of

Value = str | float | bool | None  # None is nil: nothing is said

OPERATORS = ("=", "!=", "=~", "!~", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value; ``=`` and ``!=`` may name several (any, none)."""

    field: str
    op: str  # one of OPERATORS; =~ and !~ match the whole value, as Prometheus does
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Text found anywhere in pages, errors, actions, users or attributes; no case."""

    text: str


@dataclass(frozen=True, slots=True)
class And:
    """All of them; none at all is always true."""

    parts: tuple["Filter", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not that."""

    part: "Filter"


@dataclass(frozen=True, slots=True)
class Any:
    """At least one event of a kind for which *part* holds."""

    kind: str  # view | action | error
    part: "Filter"  # about fields of such an event and nothing else


@dataclass(frozen=True, slots=True)
class Sequence:
    """Events of two sets, one after the other.

    Attributes:
        op: ``>>`` later, ``>`` the next of its kind, ``!>>`` and ``!>`` neither.
        left: what selects the earlier events; all of ``kinds[0]`` where it selects none.
        right: what selects the later ones, likewise.
        kinds: of the events left and right.
    """

    op: str
    left: "Filter"
    right: "Filter"
    kinds: tuple[str, str]

    @property
    def kind(self) -> str:
        """Return the kind of the events that the whole selects."""
        return self.kinds[self.op.startswith("!") - 1]


Filter = Compare | Text | And | Or | Not | Any | Sequence
EVERYTHING = And()


def both(left: Filter, right: Filter) -> Filter:
    """Join two filters."""
    if left == EVERYTHING:
        return right
    if right == EVERYTHING:
        return left
    return And((left, right))


def walk(part: Filter) -> Iterator[Filter]:
    """Yield *part* and everything in it."""
    yield part
    for each in parts_of(part):
        yield from walk(each)


def parts_of(part: Filter) -> tuple[Filter, ...]:
    """Return what *part* is made of."""
    if isinstance(part, (And, Or)):
        return part.parts
    if isinstance(part, (Not, Any)):
        return (part.part,)
    if isinstance(part, Sequence):
        return part.left, part.right
    return ()


def selects(part: Filter, kind: str) -> bool:
    """Tell whether *part* selects some events of *kind*, and not simply all of them.

    ``&&`` selects what either side does; ``||`` only where both do, for otherwise
    a session may be here for a reason that has nothing to do with such events.
    """
    if isinstance(part, (Any, Sequence)):
        return part.kind == kind
    if isinstance(part, And):
        return any(selects(each, kind) for each in part.parts)
    if isinstance(part, Or):
        return bool(part.parts) and all(selects(each, kind) for each in part.parts)
    return False


def kinds_in(part: Filter) -> set[str]:
    """Return the kinds of events of which *part* selects some."""
    return {kind for kind in KINDS if selects(part, kind)}


def gather(part: Filter) -> Filter:
    """Say of bare comparisons of event fields what they mean: some such event.

    Those of one kind that stand side by side are about one event. ``page`` is that of
    a visit.
    """
    if isinstance(part, Compare):
        kind = event_kind(part.field)
        return Any(kind, part) if kind else part
    if isinstance(part, Not):
        return Not(gather(part.part))
    if isinstance(part, Or):
        return Or(tuple(gather(each) for each in part.parts))
    if isinstance(part, And):
        return _gather_all(part)
    return part


def _gather_all(part: And) -> Filter:
    flat = list(_flat(part))
    bare: dict[str, list[Filter]] = {}
    kept: list[Filter] = []
    for each in flat:
        kind = event_kind(each.field) if isinstance(each, Compare) else ""
        if kind:
            bare.setdefault(kind, []).append(each)
        else:
            kept.append(gather(each))
    kept += [
        Any(kind, each[0] if len(each) == 1 else And(tuple(each)))
        for kind, each in bare.items()
    ]
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def _flat(part: And) -> Iterator[Filter]:
    for each in part.parts:
        if isinstance(each, And):
            yield from _flat(each)
        else:
            yield each


def event_kind(name: str) -> str:
    """Return of which kind of event a field is when nothing else says so; "" of none."""
    field = find(name)
    kinds = kinds_of(field) if field else ()
    return kinds[0] if kinds else ""
