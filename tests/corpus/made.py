"""Worlds that nobody recorded: sessions planned by dice, their lines, and the plan.

The plan is made before any line is written and never looks at one. Lines vary in
everything in which lines of a source may: types, spellings, order, what is left out.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import orjson

from app.model import Entry
from tests.build import DAY, HOUR, MS

NAMES = (
    "welcome",
    "pkc-viewer",
    "地图",
    "cart 🧺",
    "sha256:9f86",
    'a "b"\n',
    "x" * 150,
)
USERS = ("u-1", "jane.doe@example.com", "user_李雷🙂", "José Ñandú", "0", "u" * 120)
NOTHING = (
    "", "{}", "null", "[1,2]", "NaN", '"text"', '{"a":', "Traceback:\n  File", "0",
    "[" * 5_000, '{"session_id":null,"event":"component_visit","timestamp":1}',
)  # fmt: skip


@dataclass(slots=True)
class Made:
    """What a world came to.

    Attributes:
        entries: as they arrived.
        plan: (app, session id) → what its session is.
    """

    entries: list[Entry] = field(default_factory=list)
    plan: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)


class Dice(random.Random):
    """Chance, and how it shows in lines."""

    def often(self, share: float = 0.5) -> bool:
        """Tell whether something happens that does so that often."""
        return self.random() < share

    def spell(self, number: float) -> float | str:
        """Write a number as one, or as text."""
        return number if self.often(0.8) else str(number)

    def start(self) -> int:
        """Return when something begins: some time of two days, ms."""
        return DAY + self.randrange(0, 40 * HOUR)

    def mix(self, lines: list[Entry]) -> list[list[Entry]]:
        """Return *lines* shuffled, some of them again, in some batches."""
        lines = [*lines, *self.sample(lines, len(lines) // 4)]
        self.shuffle(lines)
        cuts = sorted(self.randrange(len(lines) + 1) for _ in range(self.randrange(5)))
        edges = [0, *cuts, len(lines)]
        return [lines[a:b] for a, b in pairwise(edges)]


def iso(at: int) -> str:
    """Write an instant of ms as ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


def entry(
    at: int, fields: Any, labels: dict[str, str], n: int = 0, **metadata: str
) -> Entry:
    """Make an entry that Loki got at *at*, ms."""
    line = fields if isinstance(fields, str) else orjson.dumps(fields).decode()
    return Entry(at * MS + n % MS, line, labels, metadata)


def noise(dice: Dice, labels: dict[str, str]) -> list[Entry]:
    """Return lines that mean nothing."""
    return [entry(dice.start(), each, labels) for each in NOTHING]
