"""A small ruler to test with: rules as text, results as tables, slots as minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.model import Labels
from app.ruler.evaluate import Overlay
from app.ruler.model import Defaults, Group, Rule, RuleSet, Value
from app.ruler.rulefile import read_rules
from app.ruler.ruler import Ruler
from app.settings import Settings
from app.store import open_reader, open_rulebook, open_writer
from app.store.rule_seam import Recorded
from app.store.seam import Reader

MINUTE = 60_000
START = 1_795_132_800_000  # 2026-11-20T00:00:00Z, ms
Told = Callable[[Rule, int, Overlay], list[Value]]


def minute(number: float) -> int:
    """Return the ms of a minute of the day."""
    return START + round(number * MINUTE)


def values(*given: tuple[Labels, float]) -> list[Value]:
    """Make results of pairs."""
    return [Value(*each) for each in given]


class Script:
    """Answers every expression as told: by the rule's name and the minute."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, float]] = []

    def __call__(self, _reader: Reader, _interval: int) -> "Script":
        """Stand in for the maker of evaluators."""
        return self

    def ask(self, rule: Rule, at: int, overlay: Overlay) -> list[Value]:
        """Answer; a failure is told as an exception."""
        number = (at - START) / MINUTE
        self.asked.append((rule.name, number))
        answer = self.answers.get(rule.name, {})
        found = answer(number, overlay) if callable(answer) else answer.get(number, [])
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, list) else values(({}, float(found)))


class World:
    """Rules over an empty index, whose expressions are answered by a script."""

    def __init__(self, folder: Path, text: str, answers: dict[str, Any], **more: Any):
        self.folder = folder
        index = more.pop("index_name", folder / "skald.db")
        self.settings = Settings(index=index, shipped_rules=False, **more)
        self.script = Script(answers)
        open_writer(self.settings).close()
        self.rules = self.read(text)

    def read(self, text: str) -> RuleSet:
        """Read rules."""
        path = self.folder / "rules.yml"
        path.write_text(text)
        return read_rules([("rules.yml", path)], Defaults(MINUTE, 0))

    @property
    def group(self) -> Group:
        """Return the first group."""
        return self.rules.groups[0]

    @contextmanager
    def ruler(self) -> Iterator[Ruler]:
        """Yield a new process's ruler."""
        book = open_rulebook(self.settings)
        try:
            yield Ruler(self.settings, book, open_reader, make_evaluator=self.script)
        finally:
            book.close()

    def run(self, *minutes: float) -> None:
        """Run all groups at each of those times, each time in a new process."""
        for number in minutes:
            with self.ruler() as ruler:
                for group in self.rules.groups:
                    ruler.run(group, minute(number))

    def correct(self, since: float, until: float, now: float) -> int:
        """Let events come late, and correct."""
        with self.ruler() as ruler:
            soil(self.settings, since, until)
            return ruler.correct(self.rules, minute(now))

    def samples(self, name: str = "") -> dict[str, dict[float, float | None]]:
        """Return what was recorded: series → minute → value; None = it ended."""
        reader = open_reader(self.settings)
        try:
            found = reader.changes(0, 100_000)
        finally:
            reader.close()
        table: dict[str, dict[float, float | None]] = {}
        for each in sorted(found, key=lambda each: each.at):
            if not name or each.name == name:
                at = (each.at - START) / MINUTE
                table.setdefault(spell(each), {})[at] = each.value
        return table

    def alerts(self) -> dict[str, str]:
        """Return the alerts: labels → state."""
        reader = open_reader(self.settings)
        try:
            found = reader.alerts()
        finally:
            reader.close()
        return {
            spell_labels(alert.labels): alert.state
            for alerts in found.values()
            for alert in alerts
        }


def spell(recorded: Recorded) -> str:
    """Write a series as Prometheus does."""
    return recorded.name + spell_labels(recorded.labels)


def spell_labels(labels: Labels) -> str:
    """Write labels as Prometheus does, without the alert's name."""
    said = [f"{k}={v}" for k, v in sorted(labels.items()) if k != "alertname"]
    return "{" + ",".join(said) + "}" if said else ""


def soil(settings: Settings, since: float, until: float) -> None:
    """Note that the past changed."""
    book = open_rulebook(settings)
    with book._transaction() as db:  # type: ignore[attr-defined]
        db.execute(
            "insert into rule_dirt values (?, ?, ?, 1)",
            (settings.tenant, minute(since), minute(until)),
        )
    book.close()
