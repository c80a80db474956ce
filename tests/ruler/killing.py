"""Kill rulers at random moments; run as a process of its own, which forks them."""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from app.ruler.evaluate import Overlay
from app.ruler.model import Value
from app.store import open_reader, open_rulebook
from app.store.seam import Reader
from tests.jobs.killing import kill_many
from tests.ruler.driver import MINUTE, START, World, minute

MINUTES = 40
LATE = range(10, 20)  # minutes of which more is known from minute 30 on
KNOWN = 30
RULES = """
groups:
  - name: first
    rules:
      - {record: 'a:b', expr: '{} | count_over_time()'}
      - {record: 'c:d', expr: 'a:b * 2'}
      - {alert: X, expr: 'a:b > 3', for: 3m, keep_firing_for: 2m}
  - name: second
    interval: 2m
    rules:
      - {record: 'e:f', expr: 'a:b + 1'}
"""


class Life:
    """Answers that depend on the slot, and on when they are asked."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self, at: float, _overlay: Overlay) -> list[Value]:
        """Return series that come and go."""
        dice = random.Random(int(at) * 2 + (int(at) in LATE and self.now >= KNOWN))
        return [
            Value({"n": str(n)}, float(dice.randint(0, 9)))
            for n in range(6)
            if dice.random() < 0.6
        ]


def run(path: Path) -> None:
    """Evaluate some time from where the file says, with a correction in its middle."""
    path.with_suffix("").mkdir(exist_ok=True)
    life = Life()
    answers = dict.fromkeys(("a:b", "c:d", "e:f", "X"), life)
    world = World(path.with_suffix(""), RULES, answers, index_name=path)
    for now in range(1, MINUTES + 1):
        with world.ruler() as ruler:
            status = ruler._book.groups().get("rules.yml;first")
            reached = (status.slot - START) // MINUTE if status else 0
            life.now = max(now, reached)  # whoever died had lived so long
            if now == KNOWN and (not status or status.slot < minute(KNOWN)):
                note(world)
            for group in world.rules.groups:
                ruler.run(group, minute(now))
            ruler.correct(world.rules, minute(max(now, KNOWN)))


def note(world: World) -> None:
    """Note what came late, before the slot is committed after which it counts."""
    book = open_rulebook(world.settings)
    with book._transaction() as db:  # type: ignore[attr-defined]
        row = (world.settings.tenant, minute(LATE.start - 1), minute(LATE.stop - 1))
        db.execute("insert or replace into rule_dirt values (?, ?, ?, 1)", row)
    book.close()


def told(path: Path) -> dict[str, Any]:
    """Return all that a file says, but for when it was written."""
    world = World(path.with_suffix(""), RULES, {}, index_name=path)
    reader: Reader = open_reader(world.settings)
    samples = {
        f"{each.name}{sorted(each.labels.items())} {(each.at - START) // 60_000}": each.value
        for each in reader.changes(0, 1_000_000)
    }
    groups = {key: each.iterations for key, each in reader.groups().items()}
    alerts = {
        f"{key}{sorted(alert.labels.items())}": (alert.state, alert.active_at)
        for key, listed in reader.alerts().items()
        for alert in listed
    }
    reader.close()
    return {"samples": samples, "groups": groups, "alerts": alerts}


def main(folder: str, kills: int, seed: int) -> None:
    """Kill rulers and say what came of it."""
    work: Callable[[Path], None] = run
    found = kill_many(work, Path(folder), kills, seed)
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
