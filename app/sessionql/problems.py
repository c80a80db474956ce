"""Say what is wrong with a query, and point at it."""

from app.errors import BadRequest

_SHOWN = 100  # characters of a line around the place


class QueryError(BadRequest):
    """A query that cannot be meant.

    Attributes:
        problem: what is wrong, in one line.
        line: of the place, from 1.
        column: of the place, from 1.
        expected: what could stand there; empty when that is not the trouble.
        pointer: the line of the query, and under it a caret.
    """

    code = "bad_query"

    def __init__(
        self,
        problem: str,
        text: str = "",
        line: int = 1,
        column: int = 1,
        expected: tuple[str, ...] = (),
    ) -> None:
        self.problem = problem
        self.line = line
        self.column = column
        self.expected = expected
        self.pointer = _point(text, line, column)
        place = f"line {line}, column {column}: {problem}"
        super().__init__(f"{place}\n{self.pointer}" if self.pointer else place)


def _point(text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    if not text or line > len(lines):
        return ""
    shown, at = lines[line - 1], column - 1
    start = max(0, at - _SHOWN // 2)
    part = "".join(
        each if each.isprintable() else " " for each in shown[start : start + _SHOWN]
    )
    return f"  {part}\n  {' ' * (at - start)}^"
