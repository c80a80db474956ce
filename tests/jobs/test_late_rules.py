"""Late lines reach what rules recorded: the same in the end as if they had been in time."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from app.model import Entry
from app.ruler.model import Defaults
from app.ruler.rulefile import read_rules
from app.ruler.ruler import Ruler
from app.settings import MappingSettings, SourceSettings
from app.store import open_reader, open_rulebook
from tests.build import MINUTE, MS, js_error, ms, page_load
from tests.driver import SOURCE, Index

RULES = """
groups:
  - name: g
    rules:
      - {record: 'app:s:count5m', expr: '{}[5m] | count_over_time() by (app)'}
      - {record: 'app:e:count5m', expr: '{}[5m] | sum_over_time(errors) by (app)'}
      - {record: 'app:e:ratio', expr: 'app:e:count5m / app:s:count5m'}
"""
SINCE = ms("10:00")
Table = dict[tuple[str, int], float]


class Life:
    """Twenty minutes of a deployment, in which late lines are known after fifteen."""

    def __init__(
        self,
        path: Path,
        entries: list[Entry],
        late: list[Entry],
        source: SourceSettings = SOURCE,
    ) -> None:
        self.index = Index(path, source)
        self.index.feed(entries)
        self.settings = replace(self.index.settings, shipped_rules=False)
        file = path.with_suffix(".yml")
        file.write_text(RULES)
        self.rules = read_rules([("r.yml", file)], Defaults(MINUTE, MINUTE))
        self.book = open_rulebook(self.settings)
        self.ruler = Ruler(self.settings, self.book, open_reader)
        for minute in range(21):
            if minute == 15:
                self.index.ingest(late)
            self.live(SINCE + minute * MINUTE)

    def live(self, now: int) -> None:
        """Index, evaluate, correct."""
        self.index.run(now)
        for group in self.rules.groups:
            self.ruler.run(group, now)
        self.ruler.correct(self.rules, now)

    def values(self) -> Table:
        """Return what is recorded: series and minute → value."""
        found = self.book.changes(0, 10_000)
        return {
            (each.name, (each.at - SINCE) // MINUTE): each.value
            for each in found
            if each.value is not None
        }

    def ask_again(self) -> Table:
        """Return the same as the index answers it now."""
        for group in self.rules.groups:
            for minute in range(20):
                self.ruler.backfill(group, SINCE + minute * MINUTE)
        return self.values()

    def close(self) -> None:
        """Let go of the index."""
        self.book.close()
        self.index.close()


def entries_of_an_hour() -> list[Entry]:
    """Return a session every other minute."""
    return [
        entry
        for minute in range(0, 20, 2)
        for entry in page_load(f"s{minute}", SINCE + minute * MINUTE)
    ]


LATE = [
    *page_load("late", "10:05"),
    *js_error("s4", SINCE + 4 * MINUTE + 30_000),
    *js_error("late", "10:06"),
]


def test_what_came_late_is_in_every_slot_at_last(tmp_path: Path) -> None:
    """Slots that look at late lines hold what the index answers with them."""
    with closing(Life(tmp_path / "late.db", entries_of_an_hour(), LATE)) as life:
        corrected = life.values()
        now = life.ask_again()

    soiled = range(5, 12)
    assert corrected[("app:e:count5m", 7)] == 2
    assert {key: value for key, value in corrected.items() if key[1] in soiled} == {
        key: value for key, value in now.items() if key[1] in soiled
    }


def test_sessions_are_counted_as_if_none_had_been_late(tmp_path: Path) -> None:
    """By their start, sessions are in the same slots whenever they came."""
    prompt = sorted([*entries_of_an_hour(), *LATE], key=lambda entry: entry.ts)
    with (
        closing(Life(tmp_path / "late.db", entries_of_an_hour(), LATE)) as late,
        closing(Life(tmp_path / "prompt.db", prompt, [])) as in_time,
    ):
        tables = [late.values(), in_time.values()]

    counted = [
        {key: value for key, value in table.items() if key[0] == "app:s:count5m"}
        for table in tables
    ]
    assert counted[0] == counted[1]


VISITS = replace(
    SOURCE,
    name="web",
    format="mapped",
    mapping=MappingSettings(preset="nginx", salt="s"),
)


def visit(minute: int, address: str = "203.0.113.9") -> Entry:
    """Build a line of an access log, of that minute after ten."""
    at = f"20/Nov/2026:10:{minute:02}:00 +0000"
    line = f'{address} - - [{at}] "GET / HTTP/1.1" 200 5 "-" "-"'
    return Entry((SINCE + minute * MINUTE) * MS, line, {"job": "web"}, {})


def test_late_lines_of_derived_sessions_are_counted_as_well(tmp_path: Path) -> None:
    """A visitor whose first line was late is in the slots as if it had been in time."""
    prompt = [visit(minute, f"203.0.113.{minute % 4}") for minute in range(0, 20, 2)]
    late = [visit(5, "203.0.113.9"), visit(1, "203.0.113.2")]
    everything = sorted([*prompt, *late], key=lambda entry: entry.ts)
    with (
        closing(Life(tmp_path / "late.db", prompt, late, VISITS)) as corrected,
        closing(Life(tmp_path / "prompt.db", everything, [], VISITS)) as in_time,
    ):
        tables = [corrected.values(), in_time.values()]

    assert tables[0] == tables[1]
    assert [tables[0]["app:s:count5m", slot] for slot in (6, 7)] == [2, 1]
