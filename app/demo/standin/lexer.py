"""Cut LogQL into tokens that know their column, and read them from left to right."""

import re
from dataclasses import dataclass

from app.demo.standin.errors import Refused, syntax_error, unsupported

TOKEN = re.compile(
    r"""
    (?P<space>\s+|\#[^\n]*)
  | (?P<STRING>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
  | (?P<RANGE>\[[^\]]*\])
  | (?P<NUMBER>-?\d+(?:\.\d+)?(?:[a-zA-Zµ]+[\d.]*)*)
  | (?P<IDENTIFIER>[a-zA-Z_][a-zA-Z0-9_:]*)
  | (?P<FLAG>--[a-z-]+)
  | (?P<SYMBOL>\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[|{}()=,<>+*/%^@-])
    """,
    re.VERBOSE,
)
ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))"
)
OPERATORS = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "and",
        "or",
        "unless",
    ]
)
SIMPLE = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: its kind, its text (a string is already unquoted), column."""

    kind: str  # STRING, RANGE, NUMBER, IDENTIFIER, FLAG, $end, or the symbol itself
    text: str
    column: int  # from 1

    @property
    def unexpected(self) -> Refused:
        """Refuse the query because of this token."""
        # A range is the one token for which Loki has lost its line.
        return syntax_error(
            f"unexpected {self.kind}", self.column, 0 if self.kind == "RANGE" else 1
        )


def tokenize(query: str) -> list[Token]:
    """Cut *query* into tokens, closed by one of kind ``$end``.

    Raises:
        Refused: at a character that starts no token.
    """
    tokens, at = [], 0
    while at < len(query):
        found = TOKEN.match(query, at)
        if not found:
            raise syntax_error(f"unexpected character {query[at]!r}", at + 1)
        if found.lastgroup != "space":
            tokens.append(_token(str(found.lastgroup), found[0], at + 1))
        at = found.end()
    return [*tokens, Token("$end", "", len(query) + 1)]


def _token(kind: str, text: str, column: int) -> Token:
    if kind == "SYMBOL":
        return Token(text, text, column)
    if kind == "STRING":
        return Token(kind, unquote(text, column), column)
    return Token(kind, text, column)


def unquote(text: str, column: int) -> str:
    """Read a Go string literal, interpreted or raw."""
    if text[0] == "`":
        return text[1:-1]

    def plain(found: re.Match[str]) -> str:
        simple, byte, short, long, octal, unknown = found.groups()
        if unknown is not None:
            raise syntax_error("invalid char escape", column)
        if simple:
            return SIMPLE[simple]
        return chr(int(octal, 8) if octal else int(byte or short or long, 16))

    return ESCAPE.sub(plain, text[1:-1])


class TokenReader:
    """Read tokens from left to right; every method consumes what it returns."""

    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)
        self.position = 0

    @property
    def token(self) -> Token:
        """Return the token at hand."""
        return self.tokens[self.position]

    def at(self, *kinds: str) -> bool:
        """Tell whether the token at hand is one of these kinds."""
        return self.token.kind in kinds

    def word(self, *words: str) -> bool:
        """Tell whether the token at hand is one of these words."""
        return self.token.kind == "IDENTIFIER" and self.token.text in words

    def take(self, kind: str, expecting: str = "") -> Token:
        """Return the token at hand, which must be of this kind."""
        token = self.token
        if token.kind != kind:
            what = f"unexpected {token.kind}, expecting {expecting or kind}"
            raise syntax_error(what, token.column) if expecting else token.unexpected
        self.position += 1
        return token

    def skip(self, *kinds: str) -> bool:
        """Pass a token of one of these kinds, or words, when it is at hand."""
        if self.at(*kinds) or self.word(*kinds):
            self.position += 1
            return True
        return False

    def finish(self) -> None:
        """Check that nothing is left."""
        token = self.token
        if token.kind in OPERATORS or self.word("and", "or", "unless"):
            raise unsupported(f"operator '{token.text}'")
        if token.kind != "$end":
            raise token.unexpected
