"""Keep what rules recorded, in SQLite: a slot at a time, all of it or nothing."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import RLock

import orjson

from app.errors import LeaseLost
from app.model import Labels
from app.store.connect import explained, open_for_writing
from app.store.rule_seam import AlertState, Dirt, RuleOutcome, Slot
from app.store.rule_upkeep import RuleUpkeep

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]

_SERIES = """
insert into recorded_series (tenant, name, labels, rule, step)
values (:tenant, :name, :labels, :rule, :step)
on conflict (tenant, name, labels) do update set rule = :rule, step = :step
returning id
"""
_SAMPLE = """
insert into recorded_samples (series, at, value, changed) values (?, ?, ?, ?)
on conflict (series, at) do update set value = excluded.value, changed = excluded.changed
where value is not excluded.value
"""
# Of a rule's series those that had a value until this slot, or have one at it.
_LIVE = """
select s.id from recorded_series as s
where s.tenant = ? and s.rule = ?
  and exists (
    select 1 from recorded_samples as c
    where c.series = s.id
      and c.at = (select max(at) from recorded_samples where series = s.id and at <= ?)
      and c.value is not null)
"""
_LAST = """
select s.id, max(c.at) + s.step, c.value
from recorded_series as s join recorded_samples as c on c.series = s.id
where {}
group by s.id
"""
_GROUP = """
insert into rule_groups (tenant, key, slot, first, evaluated, took_ms, iterations,
  missed, made_up, corrected, samples)
values (:tenant, :key, iif(:corrected, 0, :slot), :slot, :evaluated, :took, :iterations, :missed, :made_up,
  :corrected, :samples)
on conflict (tenant, key) do update set
  slot = iif(:corrected, slot, max(slot, :slot)),
  first = iif(first = 0, :slot, min(first, :slot)),
  evaluated = iif(:iterations, :evaluated, evaluated),
  took_ms = iif(:iterations, :took, took_ms),
  samples = iif(:iterations, :samples, samples),
  iterations = iterations + :iterations,
  missed = missed + :missed,
  made_up = made_up + :made_up,
  corrected = corrected + :corrected
"""
_RULE = """
insert into rule_states values (:tenant, :key, :group, :error, :evaluated, :took,
  :samples, 1, :failed)
on conflict (tenant, key) do update set group_key = :group, error = :error,
  evaluated = :evaluated, took_ms = :took, samples = :samples,
  evaluations = evaluations + 1, failures = failures + :failed
"""


class SqliteRulebook(RuleUpkeep):
    """Rules' tables, opened for writing, by any number of threads in turn."""

    def __init__(
        self,
        transaction: Transaction,
        look: Transaction,
        tenant: str,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._transaction = transaction  # type: ignore[method-assign]
        self._look = look
        self._tenant = tenant
        self.close = close

    def _bounded(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._look()

    # -- slots ---------------------------------------------------------------------

    def begin(self, group: str, at: int) -> None:
        """Say that slot *at* is about to be evaluated."""
        with self._transaction() as db:
            db.execute(
                "insert into rule_groups (tenant, key, covered) values (?, ?, ?)"
                " on conflict (tenant, key) do update"
                " set covered = max(covered, excluded.covered)",
                (self._tenant, group, at),
            )

    def commit(self, slot: Slot, lease: tuple[str, str] | None = None) -> None:
        """Keep what a slot came to, all of it or nothing; twice is once.

        Raises:
            LeaseLost: somebody else has taken over.
            StoreError: nothing was kept.
        """
        with self._transaction() as db:
            if lease:
                _check_lease(db, lease)
            for outcome in slot.outcomes:
                self._keep(db, slot, outcome)
            db.execute(
                _GROUP,
                {
                    "tenant": self._tenant,
                    "key": slot.group,
                    "slot": slot.at,
                    "evaluated": slot.evaluated,
                    "took": slot.took_ms,
                    "iterations": int(not slot.is_correction),
                    "missed": slot.missed,
                    "made_up": int(slot.is_made_up),
                    "corrected": int(slot.is_correction),
                    "samples": sum(len(each.samples) for each in slot.outcomes),
                },
            )

    def _keep(self, db: sqlite3.Connection, slot: Slot, outcome: RuleOutcome) -> None:
        if not outcome.error:
            self._write_samples(db, slot, outcome)
        if outcome.alerts is not None:
            self._write_alerts(db, outcome.rule, outcome.alerts)
        if slot.is_correction:
            return
        db.execute(
            _RULE,
            {
                "tenant": self._tenant,
                "key": outcome.rule,
                "group": slot.group,
                "error": outcome.error,
                "evaluated": slot.evaluated,
                "took": outcome.took_ms,
                "samples": len(outcome.samples),
                "failed": int(bool(outcome.error)),
            },
        )

    def _write_samples(
        self, db: sqlite3.Connection, slot: Slot, outcome: RuleOutcome
    ) -> None:
        """Upsert the values; end the series that had one and have none now."""
        live = {
            row[0] for row in db.execute(_LIVE, (self._tenant, outcome.rule, slot.at))
        }
        if not outcome.samples and not live:
            return
        written: dict[int, float | None] = dict.fromkeys(live)
        for name, labels, value in outcome.samples:
            written[self._series(db, slot, outcome.rule, name, labels)] = value
        rows = [(series, slot.at, value) for series, value in written.items()]
        self._write_rows(db, rows)

    def _series(
        self, db: sqlite3.Connection, slot: Slot, rule: str, name: str, labels: Labels
    ) -> int:
        row = db.execute(
            _SERIES,
            {
                "tenant": self._tenant,
                "name": name,
                "labels": _text(labels),
                "rule": rule,
                "step": slot.step,
            },
        ).fetchone()
        return int(row[0])

    def _write_rows(
        self, db: sqlite3.Connection, rows: Sequence[tuple[int, int, float | None]]
    ) -> None:
        """Upsert (series, at, value), each under a number of its own."""
        last = db.execute(
            "insert into rule_marks (tenant, name, value) values (:tenant, 'changes', :n)"
            " on conflict (tenant, name) do update set value = value + :n"
            " returning value",
            {"tenant": self._tenant, "n": len(rows)},
        ).fetchone()[0]
        first = last - len(rows) + 1
        numbered = [(*row, number) for number, row in enumerate(rows, first)]
        db.executemany(_SAMPLE, numbered)

    def end_series(self, rules: Sequence[str]) -> int:
        """End the series of all other rules where a next sample would be; forget these.

        Returns:
            How many series ended.
        """
        others = {"tenant": self._tenant, "kept": orjson.dumps(list(rules)).decode()}
        gone = "tenant = :tenant and {} not in (select value from json_each(:kept))"
        with self._transaction() as db:
            rows = db.execute(_LAST.format(gone.format("s.rule")), others).fetchall()
            ended = [(row[0], row[1], None) for row in rows if row[2] is not None]
            if ended:
                self._write_rows(db, ended)
            for table, column in (("rule_alerts", "rule"), ("rule_states", "key")):
                db.execute(f"delete from {table} where {gone.format(column)}", others)
        return len(ended)

    # -- alerts --------------------------------------------------------------------

    def _write_alerts(
        self, db: sqlite3.Connection, rule: str, alerts: Sequence[AlertState]
    ) -> None:
        db.execute(
            "delete from rule_alerts where tenant = ? and rule = ?",
            (self._tenant, rule),
        )
        names = AlertState.__match_args__[2:]
        db.executemany(
            f"insert into rule_alerts values (?, ?, ?, ?{', ?' * len(names)})",
            [
                (
                    self._tenant, rule, _text(each.labels), _text(each.annotations),
                    *(getattr(each, name) for name in names),
                )
                for each in alerts
            ],
        )  # fmt: skip

    def set_sent(self, rule: str, sent: Sequence[Labels], at: int) -> None:
        """Note that the Alertmanager was told."""
        with self._transaction() as db:
            db.executemany(
                "update rule_alerts set sent_at = ?"
                " where tenant = ? and rule = ? and labels = ?",
                [(at, self._tenant, rule, _text(labels)) for labels in sent],
            )

    # -- what came late ------------------------------------------------------------

    def dirt(self) -> list[Dirt]:
        """Return what was soiled, ascending."""
        with self._look() as db:
            found = db.execute(
                "select since, until, seen from rule_dirt where tenant = ?"
                " order by since",
                (self._tenant,),
            )
            return [Dirt(*row) for row in found]

    def clean(self, ranges: Sequence[Dirt]) -> None:
        """Forget what was soiled, unless it was soiled again."""
        with self._transaction() as db:
            db.executemany(
                "delete from rule_dirt where tenant = ? and since = ? and seen = ?",
                [(self._tenant, each.since, each.seen) for each in ranges],
            )


def open_own(path: Path, tenant: str) -> SqliteRulebook:
    """Open rules' tables with a connection of their own.

    Raises:
        StoreError: the index cannot be opened.
    """
    db = open_for_writing(path)
    lock = RLock()

    @contextmanager
    def transaction() -> Iterator[sqlite3.Connection]:
        with lock, explained(path):
            db.execute("begin immediate")
            try:
                yield db
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise

    @contextmanager
    def look() -> Iterator[sqlite3.Connection]:
        with lock, explained(path):
            yield db

    return SqliteRulebook(transaction, look, tenant, db.close)


def _text(labels: Labels) -> str:
    return orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode()


def _check_lease(db: sqlite3.Connection, lease: tuple[str, str]) -> None:
    name, owner = lease
    row = db.execute("select owner from leases where name = ?", (name,)).fetchone()
    if row is None or row[0] != owner:
        raise LeaseLost(
            f"another scheduler holds the lease {name!r}; this one steps back"
        )
