"""Say no in the words of Loki."""


class Refused(Exception):
    """An answer other than 200, with its text, as plain text."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def unsupported(what: str) -> Refused:
    """Refuse valid LogQL, or a part of the API, that the stand-in does not know."""
    return Refused(f"the stand-in Loki does not support {what}")


def syntax_error(what: str, column: int, line: int = 1) -> Refused:
    """Refuse a query as Loki's parser does; *column* counts from 1."""
    return Refused(f"parse error at line {line}, col {column}: syntax error: {what}")
