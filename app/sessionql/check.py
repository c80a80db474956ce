"""Check the conditions and sets of a query against the catalog, and make filters of them."""

from collections.abc import Callable
from collections.abc import Sequence as Listed
from dataclasses import dataclass
from datetime import UTC, datetime

from lark import Token

from app.catalog import names
from app.catalog.fields import KINDS, Field, kinds_of
from app.errors import BadRequest
from app.sessionql import syntax as tree
from app.sessionql.filters import (
    EVERYTHING,
    And,
    Any,
    Compare,
    Filter,
    Not,
    Or,
    Sequence,
    Text,
    Value,
    kinds_in,
)
from app.sessionql.literals import read_duration, read_string
from app.sessionql.patterns import compile_pattern
from app.sessionql.problems import QueryError

MAX_CONDITIONS = 100
MAX_SEQUENCE = 8  # pairs of braces, one after the other
MAX_STRING = 1_000  # characters

_ORDERS = frozenset({"<", "<=", ">", ">="})
_PATTERNS = frozenset({"=~", "!~"})


@dataclass(slots=True)
class Checker:
    """Checks one query, and counts what is bounded."""

    text: str
    conditions: int = 0

    def error(self, at: Token, problem: str, expected: Listed[str] = ()) -> QueryError:
        """Return what to raise for a problem at that place."""
        return QueryError(
            problem, self.text, at.line or 1, at.column or 1, tuple(expected)
        )

    # -- sets ----------------------------------------------------------------------

    def set(self, node: tree.Node) -> Filter:
        """Return the filter of a set."""
        if isinstance(node, tree.Braces):
            return self.braces(node)
        if isinstance(node, tree.Negated):
            return Not(self.set(node.part))
        if isinstance(node, tree.Joined):
            parts = tuple(self.set(each) for each in node.parts)
            return Or(parts) if node.at.type == "OR" else And(parts)
        if isinstance(node, tree.Sequenced):
            return self._sequence(node)
        raise self.error(node.at, "expected { ... }", ["{"])

    def _sequence(self, node: tree.Sequenced) -> Sequence:
        if _length(node) > MAX_SEQUENCE:
            raise self.error(
                node.at, f"{_length(node)} sets in a sequence, over {MAX_SEQUENCE}"
            )
        left, right = self.set(node.left), self.set(node.right)
        first, second = self._kind(node, left), self._kind(node, right)
        default = first or second or KINDS[0]
        return Sequence(
            str(node.at), left, right, (first or default, second or default)
        )

    def _kind(self, node: tree.Sequenced, part: Filter) -> str:
        kinds = kinds_in(part)
        if len(kinds) > 1:
            raise self.error(
                node.at,
                f"{node.at} needs events of one kind on each side, not"
                f" {' and '.join(sorted(kinds))}; compare fields of one kind",
            )
        return kinds.pop() if kinds else ""

    def braces(self, node: tree.Braces) -> Filter:
        """Return the filter of one pair of braces."""
        return EVERYTHING if node.condition is None else self.condition(node.condition)

    # -- conditions ----------------------------------------------------------------

    def condition(self, node: tree.Node) -> Filter:
        """Return the filter of a condition on a session and on one event of it.

        ``a || b`` is ``{a} || {b}``. Of ``a && b`` the parts about events are about
        one and the same event; the rest needs none.
        """
        if isinstance(node, tree.Joined) and node.at.type == "OR":
            return Or(tuple(self.condition(each) for each in node.parts))
        parts = _flatten(node)
        alone = [each for each in parts if not self._is_about_events(each)]
        about = [each for each in parts if self._is_about_events(each)]
        found = [self._plain(each) for each in alone]
        if len(about) == 1 and _is_or(about[0]):
            found.append(self.condition(about[0]))
        elif about:
            found.append(self._event(about))
        if len(found) == 1:
            return found[0]
        return And(tuple(found))

    def _event(self, parts: Listed[tree.Node]) -> Any:
        """Return the filter of conditions on one event."""
        used: dict[str, tuple[Token, tuple[str, ...]]] = {}
        for each in parts:
            for leaf in _comparisons(each):
                kinds = self._kinds(leaf)
                if not kinds:
                    raise self.error(
                        leaf.at,
                        "one event is meant here, and this is about the session;"
                        " join it by && outside of the parentheses,"
                        " or write { ... } || { ... }",
                    )
                used[str(leaf.at)] = (leaf.at, kinds)
        possible = list(KINDS)
        for at, kinds in used.values():
            left = [kind for kind in possible if kind in kinds]
            if not left:
                raise self.error(
                    at,
                    f"no event has {str(at)!r} and"
                    f" {' and '.join(repr(n) for n in used if n != str(at))};"
                    " write { ... } && { ... } for two events of a session",
                )
            possible = left
        found = tuple(self._plain(each) for each in parts)
        return Any(possible[0], found[0] if len(found) == 1 else And(found))

    def _is_about_events(self, node: tree.Node) -> bool:
        return any(self._kinds(each) for each in _comparisons(node))

    def _kinds(self, node: tree.Comparison | tree.Sought) -> tuple[str, ...]:
        if isinstance(node, tree.Sought):
            return ()
        return kinds_of(self.field(node.at))

    def _plain(self, node: tree.Node) -> Filter:
        """Return the filter of a condition, leaving open which event it is about."""
        if isinstance(node, tree.Joined):
            parts = tuple(self._plain(each) for each in node.parts)
            return Or(parts) if node.at.type == "OR" else And(parts)
        if isinstance(node, tree.Negated):
            return Not(self._plain(node.part))
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise self.error(node.at, f"over {MAX_CONDITIONS} conditions in a query")
        if isinstance(node, tree.Sought):
            return Text(self.string(node.at))
        if isinstance(node, tree.Comparison):
            return self._compare(node)
        raise self.error(node.at, "expected a condition", ["a condition"])

    def _compare(self, node: tree.Comparison) -> Compare:
        field = self.field(node.at)
        op = "=" if node.op == "==" else str(node.op)
        value = self._value(field, op, node)
        return Compare(field.name, op, (value,))

    # -- values --------------------------------------------------------------------

    def _value(self, field: Field, op: str, node: tree.Comparison) -> Value:
        literal = node.value
        if literal.kind == "nil":
            if op not in {"=", "!="}:
                raise self.error(node.op, "nil is compared by = and !=", ["=", "!="])
            return None
        if field.scope == "attribute" and literal.kind in {"number", "duration"}:
            return self._attribute(op, node)
        readers: dict[str, Callable[[Field, str, tree.Comparison], Value]] = {
            "string": self._string,
            "number": self._number,
            "boolean": self._boolean,
            "time": self._time,
        }
        return readers[field.type](field, op, node)

    def _attribute(self, op: str, node: tree.Comparison) -> float:
        """Attributes are text; compared with a number, those that read as one count."""
        if op in _PATTERNS:
            raise self.error(node.value.at, "a pattern is a string", ["a string"])
        return self.number(node.value)

    def _string(self, field: Field, op: str, node: tree.Comparison) -> str:
        if op in _ORDERS:
            raise self.error(
                node.op,
                f"{field.name!r} is text, and {op} is for numbers and times",
                ["=", "!=", "=~", "!~"],
            )
        if node.value.kind != "string":
            raise self._misfit(field, node, "a string")
        value = self.string(node.value.at)
        if op in _PATTERNS:
            self.pattern(node.value.at, value)
        elif value and field.name == "status" and value not in field.choices:
            raise self.error(
                node.value.at,
                f"{field.name!r} is never {value!r}; it is {', '.join(field.choices)}",
                field.choices,
            )
        return value

    def pattern(self, at: Token, value: str) -> None:
        """Refuse what is no regular expression."""
        try:
            compile_pattern(value)
        except BadRequest as error:
            raise self.error(at, str(error)) from None

    def _number(self, field: Field, op: str, node: tree.Comparison) -> float:
        self._refuse_pattern(field, op, node)
        if node.value.kind == "duration" and field.unit != "ms":
            raise self.error(node.value.at, f"{field.name!r} is no length of time")
        if node.value.kind not in {"number", "duration"}:
            raise self._misfit(field, node, "a number")
        return self.number(node.value)

    def _boolean(self, field: Field, op: str, node: tree.Comparison) -> bool:
        if op not in {"=", "!="}:
            raise self.error(
                node.op, f"{field.name!r} is true or false; use = or !=", ["=", "!="]
            )
        if node.value.kind != "boolean":
            raise self._misfit(field, node, "true or false")
        return str(node.value.at) == "true"

    def _time(self, field: Field, op: str, node: tree.Comparison) -> float:
        self._refuse_pattern(field, op, node)
        if node.value.kind == "number":
            return self.number(node.value)
        if node.value.kind != "string":
            raise self._misfit(field, node, "a time")
        text = self.string(node.value.at)
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            problem = f"{text[:60]!r} is no time; write 2026-11-20T10:00:00Z or ms"
            raise self.error(node.value.at, problem) from None
        zoned = when if when.tzinfo else when.replace(tzinfo=UTC)
        return float(round(zoned.timestamp() * 1000))

    def _refuse_pattern(self, field: Field, op: str, node: tree.Comparison) -> None:
        if op in _PATTERNS:
            raise self.error(
                node.op,
                f"{field.name!r} is a {field.type}; {op} is for text",
                ["=", "!=", "<", "<=", ">", ">="],
            )

    def _misfit(self, field: Field, node: tree.Comparison, wanted: str) -> QueryError:
        kind = {"time": "a time", "boolean": "true or false", "string": "text"}.get(
            field.type, "a number"
        )
        literal = node.value
        problem = f"{field.name!r} is {kind}, and {str(literal.at)[:60]} is not"
        return self.error(literal.at, problem, [wanted])

    def string(self, token: Token) -> str:
        """Read a string."""
        try:
            value = read_string(token)
        except ValueError as error:
            raise self.error(token, str(error)) from None
        if len(value) > MAX_STRING:
            raise self.error(
                token,
                f"a string has at most {MAX_STRING:,} characters, not {len(value):,}",
            )
        return value

    def number(self, literal: tree.Literal) -> float:
        """Read a number, or a duration as ms."""
        read = read_duration if literal.kind == "duration" else float
        value = read(literal.at)
        if abs(value) == float("inf"):
            raise self.error(literal.at, "a number is below 1e308")
        return -value if literal.is_negative else value

    def field(self, token: Token) -> Field:
        """Return the field of that name."""
        scope, dot, quoted = str(token).partition('."')
        name = (
            f"{scope}.{self.string(Token('STRING', chr(34) + quoted))}"
            if dot
            else scope
        )
        try:
            return names.field(name)
        except BadRequest as error:
            raise self.error(token, str(error), ["a field"]) from None


def _is_or(node: tree.Node) -> bool:
    return isinstance(node, tree.Joined) and node.at.type == "OR"


def _flatten(node: tree.Node) -> Listed[tree.Node]:
    if isinstance(node, tree.Joined) and node.at.type == "AND":
        return [each for part in node.parts for each in _flatten(part)]
    return [node]


def _comparisons(node: tree.Node) -> Listed[tree.Comparison | tree.Sought]:
    if isinstance(node, tree.Joined):
        return [each for part in node.parts for each in _comparisons(part)]
    if isinstance(node, tree.Negated):
        return _comparisons(node.part)
    return [node] if isinstance(node, (tree.Comparison, tree.Sought)) else []


def _length(node: tree.Node) -> int:
    if isinstance(node, tree.Sequenced):
        return _length(node.left) + _length(node.right)
    return 1
