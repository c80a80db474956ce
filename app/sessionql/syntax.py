"""What a query says, before anybody knows what it means: nodes that know their place.

Every node keeps the token to point at, and how deep it is nested.
"""

from dataclasses import dataclass

from lark import Token


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, duration, boolean or nil."""

    at: Token
    kind: str  # string | number | duration | boolean | nil
    is_negative: bool = False
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """``name op value``."""

    at: Token
    op: Token
    value: Literal
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Sought:
    """A string alone: free text."""

    at: Token
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts between ``&&`` or between ``||``; conditions, or sets."""

    at: Token
    parts: tuple["Node", ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Negated:
    """``!`` before a condition or a set."""

    at: Token
    part: "Node"
    depth: int


@dataclass(frozen=True, slots=True)
class Braces:
    """``{ condition }``."""

    at: Token
    condition: "Node | None"
    depth: int


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Two sets with ``>>``, ``>``, ``!>>`` or ``!>`` between them."""

    at: Token
    left: "Node"
    right: "Node"
    depth: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name alone, as an argument."""

    at: Token
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """``| name(arguments) by (labels)``; ``by`` is None where it is not said."""

    at: Token
    arguments: tuple["Node", ...]
    by: tuple[Token, ...] | None
    depth: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A set alone."""

    at: Token
    set: "Node"
    range: Token | None
    depth: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A set, and what is made of it."""

    at: Token
    set: "Node"
    range: Token | None
    stages: tuple[Stage, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Named:
    """A metric by its name."""

    at: Token
    braces: Braces | None
    range: Token | None
    by: tuple[Token, ...] | None
    stages: tuple[Stage, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """Figures in parentheses, and what is made of them."""

    at: Token
    part: "Node"
    stages: tuple[Stage, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Modifier:
    """``bool``, ``on (...)``, ``ignoring (...)``, ``group_left`` after an operator."""

    is_bool: bool
    how: Token | None
    labels: tuple[Token, ...]
    many: Token | None
    extra: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two figures with an operator between them."""

    at: Token
    left: "Node"
    right: "Node"
    modifier: Modifier | None
    depth: int


@dataclass(frozen=True, slots=True)
class Minus:
    """``-`` before figures."""

    at: Token
    part: "Node"
    depth: int


Figures = Literal | Pipeline | Named | Ranked | Operation | Minus
Node = (
    Figures
    | Comparison
    | Sought
    | Joined
    | Negated
    | Braces
    | Sequenced
    | Name
    | (Stage | Listing)
)
