"""Gather everything that is wrong with rule files, then say it all at once."""

import re
from dataclasses import dataclass, field

from app.errors import SkaldError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHOWN = 80  # characters of a value


class RuleFileError(SkaldError):
    """Rule files cannot be used; lists every problem, with place and remedy."""

    status = 422
    code = "rules"

    def __init__(self, problems: list["Problem"]) -> None:
        self.problems = problems
        count = len(problems)
        title = f"{count} problem{'s' * (count > 1)} in the rules"
        super().__init__("\n  ".join([f"{title}:", *map(str, problems)]))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: file:line:column.
        subject: group and rule, as far as they are known.
        what: the fact and the remedy.
    """

    place: str
    subject: str
    what: str

    def __str__(self) -> str:
        said = f"{self.subject}: {self.what}" if self.subject else self.what
        return _CONTROL.sub("?", f"{self.place}: {said}")


@dataclass(slots=True)
class Problems:
    """What was found so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, place: str, subject: str, what: str) -> None:
        """Note a problem; *what* ends with its remedy."""
        self.found.append(Problem(place, subject, what))

    def stop_if_any(self) -> None:
        """End here if anything was wrong.

        Raises:
            RuleFileError: lists every problem, one a line.
        """
        if self.found:
            raise RuleFileError(self.found)


def shown(text: str) -> str:
    """Quote a value, but not all of a long one."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
