"""Read what rules recorded and how they fare, from SQLite."""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

import orjson

from app.model import Labels
from app.store.functions import compile_pattern
from app.store.rule_seam import (
    AlertState,
    GroupStatus,
    Mark,
    Matcher,
    Recorded,
    RuleStatus,
)

LOOKBACK = 300_000  # ms that a value holds at least, as in Prometheus
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

    def recorded(  # a question has many sides
        self,
        name: str,
        matchers: Sequence[Matcher],
        start: int,
        end: int,
        step: int,
        without: Collection[str] = (),
    ) -> list[tuple[Labels, int, float]]:
        """Return for each series and bucket the last value in ``(begin, begin + step]``.

        Without a step there is one bucket, which begins at *start* and is known by it,
        and the value is the one that holds at *end*. Series of the rules *without* are
        left out.
        """
        width = step or max(1, end - start)
        first = start - start % step if step else start
        buckets = range(first, end, width)
        with self._bounded() as db:
            series = self._matching(db, name, matchers, without)
            if not series:
                return []
            asked = {
                "series": orjson.dumps(list(series)).decode(),
                "start": first,
                "end": buckets[-1] + width,
                "step": width,
                "held": max(_holds(step) for _, step in series.values()),
            }
            known: dict[int, dict[int, tuple[int, float | None]]] = {}
            for each, bucket, at, value in db.execute(_BUCKETS, asked):
                known.setdefault(each, {})[bucket] = (at, value)
            before = {
                each: (at, value) for each, at, value in db.execute(_BEFORE, asked)
            }
        found: list[tuple[Labels, int, float]] = []
        for each, (labels, own) in series.items():
            last = before.get(each)
            for number, begin in enumerate(buckets):
                last = known.get(each, {}).get(number, last)
                if last is None or last[1] is None:
                    continue
                in_bucket = step and last[0] > begin
                if in_bucket or begin + width - last[0] < _holds(own):
                    found.append((labels, begin, last[1]))
        return found

    def _matching(
        self,
        db: sqlite3.Connection,
        name: str,
        matchers: Sequence[Matcher],
        without: Collection[str],
    ) -> dict[int, tuple[Labels, int]]:
        rows = db.execute(
            "select id, labels, step, rule from recorded_series where tenant = ? and name = ?",
            (self._tenant, name),
        )
        series = {
            row[0]: (orjson.loads(row[1]), row[2])
            for row in rows
            if row[3] not in without
        }
        return {
            each: (labels, step)
            for each, (labels, step) in series.items()
            if all(holds(matcher, labels) for matcher in matchers)
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


def _holds(step: int) -> int:
    return max(LOOKBACK, _STEPS * step)


def _sample(row: tuple[str, str, int, float | None, int]) -> Recorded:
    name, labels, at, value, changed = row
    return Recorded(name, orjson.loads(labels), at, value, changed)


def holds(matcher: Matcher, labels: Labels) -> bool:
    """Tell whether *labels* are as *matcher* says; a label not there is empty."""
    value = labels.get(matcher.name, "")
    if matcher.op in {"=", "!="}:
        return (value == matcher.value) == (matcher.op == "=")
    is_match = compile_pattern(matcher.value).fullmatch(value) is not None
    return is_match == (matcher.op == "=~")
