"""Read what rules recorded and how they fare, from SQLite."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from difflib import get_close_matches

import orjson

from app.errors import UnknownName
from app.model import Labels
from app.sessionql.evaluate import Cell
from app.sessionql.plan import Compare, Window
from app.sessionql.plan import Recorded as Series
from app.sessionql.recorded import cells_of
from app.store.functions import compile_pattern
from app.store.rule_seam import (
    AlertState,
    GroupStatus,
    Mark,
    Recorded,
    RuleStatus,
)

LOOKBACK = 300_000  # ms that a value holds at least, as in Prometheus
RULES = "rules"  # mark: the rules in force, as JSON
RELOAD = "reload"  # mark: when the files were read; 0 with what is wrong with them
_STEPS = 2  # of its own that a value holds

_GROUP = ", ".join(GroupStatus.__match_args__)
_RULE = ", ".join(RuleStatus.__match_args__)
_LATEST = """
select s.name, s.labels, c.at, c.value, c.changed
from recorded_series as s join recorded_samples as c
  on c.series = s.id
  and c.at = (select max(at) from recorded_samples where series = s.id)
where s.tenant = :tenant
  and c.value is not null
  and c.at >= :now - max(:lookback, :steps * s.step)
order by s.name, s.labels
limit :limit
"""
# Of each series and bucket the last sample, as SQLite gives a bare column beside max().
_BUCKETS = """
select c.series, (c.at - 1 - :start) / :step as bucket, max(c.at), c.value
from json_each(:series) as w join recorded_samples as c on c.series = w.value
where c.at > :start and c.at <= :end
group by c.series, bucket
"""
_BEFORE = """
select c.series, max(c.at), c.value
from json_each(:series) as w join recorded_samples as c on c.series = w.value
where c.at <= :start and c.at > :start - :held
group by c.series
"""
_CHANGES = """
select s.name, s.labels, c.at, c.value, c.changed
from recorded_samples as c join recorded_series as s on s.id = c.series
where c.changed > ? and s.tenant = ?
order by c.changed
limit ?
"""


class RecordedReader:
    """Reads rules' tables; ``_bounded`` gives the connection to read with."""

    _tenant: str

    def _bounded(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def recorded(
        self, plan: Series, window: Window, without: Collection[str] = ()
    ) -> list[tuple[Labels, int, float]]:
        """Return the last value of each series in each bucket ``(begin, begin + step]``.

        Without a step there is one bucket, and the value is what holds at its end.
        """
        buckets = window.buckets()
        width = window.step or max(1, window.end - window.start)
        with self._bounded() as db:
            series = self._matching(db, plan, without)
            if not series or not buckets:
                return []
            asked = {
                "series": orjson.dumps(list(series)).decode(),
                "start": buckets[0],
                "end": buckets[-1] + width,
                "step": width,
                "held": max(_holds(plan, step) for _, step in series.values()),
            }
            known: dict[int, dict[int, Known]] = {}
            for each, bucket, at, value in db.execute(_BUCKETS, asked):
                known.setdefault(each, {})[bucket] = (at, value)
            before: dict[int, Known] = {
                each: (at, value) for each, at, value in db.execute(_BEFORE, asked)
            }
        return [
            (labels, begin, value)
            for each, (labels, step) in series.items()
            for begin, value in _carried(
                known.get(each, {}), before.get(each), window, _holds(plan, step)
            )
        ]

    def recorded_cells(
        self, plan: Series, window: Window
    ) -> tuple[tuple[str, ...], list[Cell]]:
        """Return the same as SessionQL takes it.

        Raises:
            UnknownName: no rule records that.
        """
        rows = self.recorded(plan, window)
        if not rows:
            self._check_name(plan.name)
        return cells_of(plan, rows)

    def _check_name(self, name: str) -> None:
        """Refuse a name that no rule records, nor did."""
        with self._bounded() as db:
            found = db.execute(
                "select distinct name from recorded_series where tenant = ?",
                (self._tenant,),
            )
            names = {row[0] for row in found}
        rules = orjson.loads(self.mark(RULES).text or "[]")
        names |= {rule["name"] for group in rules for rule in group["rules"]}
        if name not in names:
            close = get_close_matches(
                name, [each for each in names if ":" in each], n=1
            )
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise UnknownName(f"no rule records {name!r}{hint}")

    def _matching(
        self, db: sqlite3.Connection, plan: Series, without: Collection[str]
    ) -> dict[int, tuple[Labels, int]]:
        rows = db.execute(
            "select id, labels, step, rule from recorded_series"
            " where tenant = ? and name = ?",
            (self._tenant, plan.name),
        )
        series = {
            row[0]: (orjson.loads(row[1]), row[2])
            for row in rows
            if row[3] not in without
        }
        return {
            each: (labels, step)
            for each, (labels, step) in series.items()
            if all(holds(matcher, labels) for matcher in plan.matchers)
        }

    def groups(self) -> dict[str, GroupStatus]:
        """Return how each group fares, by key."""
        with self._bounded() as db:
            found = db.execute(
                f"select key, {_GROUP} from rule_groups where tenant = ?",
                (self._tenant,),
            )
            return {row[0]: GroupStatus(*row[1:]) for row in found}

    def rules(self) -> dict[str, RuleStatus]:
        """Return how each rule fares, by key."""
        with self._bounded() as db:
            found = db.execute(
                f"select key, {_RULE} from rule_states where tenant = ?",
                (self._tenant,),
            )
            return {row[0]: RuleStatus(*row[1:]) for row in found}

    def alerts(self, rule: str | None = None) -> dict[str, list[AlertState]]:
        """Return the alerts of one rule or of all, by the rule's key."""
        with self._bounded() as db:
            found = db.execute(
                f"select rule, {', '.join(AlertState.__match_args__)} from rule_alerts"
                " where tenant = :tenant and (:rule is null or rule = :rule)"
                " order by rule, labels",
                {"tenant": self._tenant, "rule": rule},
            ).fetchall()
        alerts: dict[str, list[AlertState]] = {}
        for key, labels, annotations, *rest in found:
            alert = AlertState(orjson.loads(labels), orjson.loads(annotations), *rest)
            alerts.setdefault(key, []).append(alert)
        return alerts

    def latest(self, now: int, limit: int) -> list[Recorded]:
        """Return the newest value of each series that has not ended."""
        values = {
            "tenant": self._tenant,
            "now": now,
            "lookback": LOOKBACK,
            "steps": _STEPS,
            "limit": limit,
        }
        with self._bounded() as db:
            return [_sample(row) for row in db.execute(_LATEST, values)]

    def changes(self, after: int, limit: int) -> list[Recorded]:
        """Return samples changed after that number, stale markers too, in order."""
        with self._bounded() as db:
            found = db.execute(_CHANGES, (after, self._tenant, limit))
            return [_sample(row) for row in found]

    def mark(self, name: str) -> Mark:
        """Return what is remembered under *name*."""
        with self._bounded() as db:
            row = db.execute(
                "select value, text from rule_marks where tenant = ? and name = ?",
                (self._tenant, name),
            ).fetchone()
        return Mark(*row) if row else Mark()


Known = tuple[int, float | None]  # time, value


def _holds(plan: Series, step: int) -> int:
    return plan.range_ms or max(LOOKBACK, _STEPS * step)


def _carried(
    known: dict[int, Known], before: Known | None, window: Window, held: int
) -> Iterator[tuple[int, float]]:
    """Yield bucket and value of one series; what is not known anew still holds."""
    width = window.step or max(1, window.end - window.start)
    last = before
    for number, begin in enumerate(window.buckets()):
        last = known.get(number, last)
        if last is None or last[1] is None:
            continue
        is_fresh = window.step and last[0] > begin
        if is_fresh or begin + width - last[0] < held:
            yield begin, last[1]


def _sample(row: tuple[str, str, int, float | None, int]) -> Recorded:
    name, labels, at, value, changed = row
    return Recorded(name, orjson.loads(labels), at, value, changed)


def holds(matcher: Compare, labels: Labels) -> bool:
    """Tell whether *labels* are as *matcher* says; a label not there is empty."""
    value, wanted = labels.get(matcher.field, ""), str(matcher.values[0])
    if matcher.op in {"=", "!="}:
        return (value == wanted) == (matcher.op == "=")
    is_match = compile_pattern(wanted).fullmatch(value) is not None
    return is_match == (matcher.op == "=~")
