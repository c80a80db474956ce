"""Keep what rules recorded small: thin it, let go of it, remember how far."""

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager

from app.store.recorded import RecordedReader
from app.store.rule_seam import Mark

_CHUNK = 5_000  # samples deleted at a time

_THIN = """
select c.series, c.at from recorded_samples as c
where c.series = :series and c.at > :since and c.at <= :before and exists (
  select 1 from recorded_samples as n
  where n.series = c.series and n.at > c.at
    and n.at <= (c.at + :step - 1) / :step * :step)
"""


class RuleUpkeep(RecordedReader):
    """Thins and expires; ``_transaction`` gives the connection to write with."""

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def remember(self, name: str, mark: Mark) -> None:
        """Remember that."""
        with self._transaction() as db:
            db.execute(
                "insert or replace into rule_marks values (?, ?, ?, ?)",
                (self._tenant, name, mark.value, mark.text),
            )

    def thin(self, before: int, step: int) -> int:
        """Keep of samples before that only the last of each step; return the deleted.

        A step ends at its multiple, as a bucket of a question does, so that questions
        in buckets of that step are answered alike before and after.
        """
        before -= before % step
        mark = self.mark("thinned")
        total = 0
        for series in self._all_series():
            with self._transaction() as db:
                asked = {"series": series, "since": mark.value, "before": before}
                found = db.execute(_THIN, {**asked, "step": step}).fetchall()
                total += _delete(db, found)
        self.remember("thinned", Mark(before))
        return total

    def _all_series(self) -> list[int]:
        with self._bounded() as db:
            found = db.execute(
                "select id from recorded_series where tenant = ?", (self._tenant,)
            )
            return [row[0] for row in found]

    def expire(self, before: int) -> int:
        """Delete samples before that, some at a time; return how many."""
        total = 0
        for series in self._all_series():
            with self._transaction() as db:
                found = db.execute(
                    "select series, at from recorded_samples"
                    " where series = ? and at < ? limit ?",
                    (series, before, _CHUNK),
                ).fetchall()
                total += _delete(db, found)
                if found:
                    db.execute(
                        "delete from recorded_series where id = ? and not exists"
                        " (select 1 from recorded_samples where series = ?)",
                        (series, series),
                    )
        return total


def _delete(db: sqlite3.Connection, samples: Iterable[tuple[int, int]]) -> int:
    statement = "delete from recorded_samples where series = ? and at = ?"
    return db.executemany(statement, samples).rowcount
