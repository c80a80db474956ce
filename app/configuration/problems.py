"""Gather everything that is wrong with a configuration, then say it all at once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from app.errors import SettingsError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(slots=True)
class Problems:
    """What was found so far, each with its place, its fact and its remedy."""

    found: list[str] = field(default_factory=list)

    def add(self, place: str, what: str) -> None:
        """Note a problem, on one line; *what* ends with its remedy."""
        self.found.append(_CONTROL.sub("?", f"{place}: {what}"))

    def stop_if_any(self) -> None:
        """End here if anything was wrong.

        Raises:
            SettingsError: lists every problem, one a line.
        """
        if self.found:
            count = len(self.found)
            title = f"{count} problem{'s' * (count > 1)} in the configuration"
            raise SettingsError("\n  ".join([title + ":", *self.found]))


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of *known* was probably meant by *name*, or list them."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
