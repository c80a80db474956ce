"""Look at some of the sessions where all would take too long, and always the same ones."""

import sqlite3

from app.sessionql.plan import Filter, Window
from app.store.ranking import Engine, matching

BUDGET = 250_000  # views and actions looked at for one answer, about


def choose_sample(
    engine: Engine, db: sqlite3.Connection, window: Window, selector: Filter
) -> int:
    """Return every how many-th session can be looked at within the budget."""
    statement = engine._statement(window.now)  # noqa: SLF001 - one of its parts
    where = matching(statement, window, selector)
    steps = db.execute(
        statement.text(
            f"select sum(s.views + s.actions) from sessions as s where {where}"
        ),
        statement.values,
    ).fetchone()[0]
    return max(1, -(-(steps or 0) // BUDGET))


def sampled(sample: int) -> str:
    """Return the condition that leaves every *sample*-th session, by its hash."""
    return "1" if sample <= 1 else f"s.hash % {int(sample)} = 0"
