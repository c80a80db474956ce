"""Turn text into syntax, or say where it stops making sense."""

from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, v_args
from lark.exceptions import UnexpectedToken

from app.sessionql import syntax as tree
from app.sessionql.problems import QueryError

MAX_TEXT = 5_000  # characters
MAX_DEPTH = 25

Found = tuple[Token, ...] | None


class _TooDeep(Exception):
    def __init__(self, at: Token) -> None:
        self.at = at


def _below(at: Token, *parts: Any) -> int:
    depth = 1 + max((part.depth for part in parts if part is not None), default=0)
    if depth > MAX_DEPTH:
        raise _TooDeep(at)
    return depth


class _Labels(tuple[Token, ...]):
    """What stands between the parentheses of ``by``, ``on`` and the like."""

    __slots__ = ()


class _Range(Token):
    """What stands between brackets."""


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Builds a node for each rule of the grammar."""

    def inner(self, _open: Token, part: Any, _close: Token) -> Any:
        return part

    def sessions(self, part: Any, span: Token | None = None) -> tree.Listing:
        return tree.Listing(part.at, part, span, _below(part.at, part))

    def operation(self, left: Any, op: Token, *rest: Any) -> tree.Operation:
        modifier, right = rest if len(rest) > 1 else (None, rest[0])
        return tree.Operation(op, left, right, modifier, _below(op, left, right))

    def negation(self, minus: Token, part: Any) -> tree.Minus:
        return tree.Minus(minus, part, _below(minus, part))

    def number(self, token: Token) -> tree.Literal:
        return tree.Literal(token, token.type.lower())

    def pipeline(self, part: Any, *rest: Any) -> tree.Pipeline:
        span, stages = rest if len(rest) > 1 else (None, rest[0])
        depth = _below(part.at, part, *stages)
        return tree.Pipeline(part.at, part, span, stages, depth)

    def metric(self, name: Token, *rest: Any) -> tree.Named:
        braces = by = span = None
        stages: tuple[tree.Stage, ...] = ()
        for each in rest:
            if isinstance(each, tree.Braces):
                braces = each
            elif isinstance(each, _Range):
                span = each
            elif isinstance(each, _Labels):
                by = each
            else:
                stages = each
        depth = _below(name, braces, *stages)
        return tree.Named(name, braces, span, by, stages, depth)

    def ranked(
        self, at: Token, part: Any, _close: Token, stages: tuple[tree.Stage, ...]
    ) -> tree.Ranked:
        return tree.Ranked(at, part, stages, _below(at, part, *stages))

    def modifier(self, *rest: Any) -> tree.Modifier:
        words = {each.type: each for each in rest if isinstance(each, Token)}
        labels = [each for each in rest if isinstance(each, _Labels)]
        how = words.get("ON") or words.get("IGNORING")
        many = words.get("GROUP_LEFT") or words.get("GROUP_RIGHT")
        first, extra = [*labels, _Labels(), _Labels()][:2]
        return tree.Modifier("BOOL" in words, how, first, many, extra)

    def by(self, _by: Token, labels: _Labels) -> _Labels:
        return labels

    def labels(self, *rest: Token) -> _Labels:
        return _Labels(each for each in rest if each.type == "NAME")

    def range(self, _open: Token, token: Token, _close: Token) -> _Range:
        return _Range.new_borrow_pos(token.type, str(token), token)

    def stages(self, *rest: tree.Stage) -> tuple[tree.Stage, ...]:
        return rest

    def stage(self, _bar: Token, name: Token, *rest: Any) -> tree.Stage:
        by = rest[-1] if isinstance(rest[-1], _Labels) else None
        given = tuple(each for each in rest if not isinstance(each, (Token, _Labels)))
        return tree.Stage(name, given, by, _below(name, *given))

    def name(self, token: Token) -> tree.Name:
        return tree.Name(token)

    def set_argument(self, part: Any) -> Any:
        return part

    def joined(self, left: Any, op: Token, right: Any) -> tree.Joined:
        parts: list[Any] = []
        for each in (left, right):
            is_same = isinstance(each, tree.Joined) and each.at.type == op.type
            parts += each.parts if is_same else [each]
        return tree.Joined(op, tuple(parts), _below(op, *parts))

    def sequence(self, left: Any, op: Token, right: Any) -> tree.Sequenced:
        return tree.Sequenced(op, left, right, _below(op, left, right))

    def without(self, op: Token, part: Any) -> tree.Negated:
        return tree.Negated(op, part, _below(op, part))

    negated = without

    def braces(self, at: Token, *rest: Any) -> tree.Braces:
        condition = rest[0] if len(rest) > 1 else None
        return tree.Braces(at, condition, _below(at, condition))

    def compare(self, name: Token, op: Token, value: tree.Literal) -> tree.Comparison:
        return tree.Comparison(name, op, value)

    def text(self, token: Token) -> tree.Sought:
        return tree.Sought(token)

    def string(self, token: Token) -> tree.Literal:
        return tree.Literal(token, "string")

    def boolean(self, token: Token) -> tree.Literal:
        return tree.Literal(token, "boolean")

    def nil(self, token: Token) -> tree.Literal:
        return tree.Literal(token, "nil")

    def value(self, value: tree.Literal) -> tree.Literal:
        return value

    def value_number(self, *rest: Token) -> tree.Literal:
        return tree.Literal(rest[-1], rest[-1].type.lower(), len(rest) > 1)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        maybe_placeholders=False,
        keep_all_tokens=True,
        transformer=_Builder(),
    )


def read(text: str) -> tree.Node:
    """Read a query.

    Raises:
        QueryError: it is no SessionQL; says where, and what could stand there.
    """
    if len(text) > MAX_TEXT:
        raise QueryError(
            f"a query has at most {MAX_TEXT:,} characters, not {len(text):,}"
        )
    try:
        found: tree.Node = _parser().parse(text)  # type: ignore[assignment]
    except _TooDeep as deep:
        raise QueryError(
            f"nested over {MAX_DEPTH} deep",
            text,
            deep.at.line or 1,
            deep.at.column or 1,
        ) from None
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    return found


def _explain(error: UnexpectedInput, text: str) -> QueryError:
    if isinstance(error, UnexpectedToken):
        token: Token = error.token
        names = set(error.accepts)
        is_end = token.type == "$END"
        line, column = _end(text) if is_end else (token.line or 1, token.column or 1)
        found = "the end" if is_end else f"{str(token)[:60]!r}"
    else:
        line, column = error.line, error.column
        names = set(error.allowed) if isinstance(error, UnexpectedCharacters) else set()
        rest = text[error.pos_in_stream :]
        found = repr(rest[:1])
        if rest[:1] in {'"', "'", "`"}:
            found = f"a string that does not end: {rest[:20]}"
    expected = tuple(sorted({_WORDS.get(name, name.lower()) for name in names}))
    hint = _hint(text, error, names)
    problem = f"unexpected {found}; expected {_listed(expected)}{hint}"
    return QueryError(problem, text, line, column, expected)


def _end(text: str) -> tuple[int, int]:
    lines = text.rstrip().split("\n")
    return len(lines), len(lines[-1]) + 1


def _listed(words: tuple[str, ...]) -> str:
    if len(words) < 2:  # noqa: PLR2004
        return "".join(words) or "something else"
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _hint(text: str, error: UnexpectedInput, names: set[str]) -> str:
    at = error.pos_in_stream
    before, after = text[:at].rstrip(), text[at:]
    if after[:1] == "(" and before[-1:].isalnum() and "BY" in names:
        return "; a function follows its selector: { ... } | count_over_time()"
    if before[-1:] == ">" and after[:1] not in {"{", ""} and "LBRACE" in names:
        return "; only figures are compared: { ... } | count_over_time() > 5"
    if after[:1] == "=" and "COMPARE" in names:
        return "; figures are compared by =="
    return ""


_WORDS = {
    "NAME": "a name",
    "STRING": "a string",
    "NUMBER": "a number",
    "DURATION": "a duration",
    "LPAR": "(",
    "RPAR": ")",
    "LBRACE": "{",
    "RBRACE": "}",
    "LSQB": "[",
    "RSQB": "]",
    "VBAR": "|",
    "COMMA": ",",
    "OR": "||",
    "AND": "&&",
    "NOT": "!",
    "SEQUENCE": ">>",
    "GREATER": ">",
    "COMPARE": "a comparison",
    "MATCH": "=",
    "PLUS": "+",
    "MINUS": "-",
    "TIMES": "*",
    "POWER": "^",
    "$END": "the end",
}
