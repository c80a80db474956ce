"""An index of an older Skald is brought up to date when it is opened for writing."""

import logging
import sqlite3
from contextlib import closing

import pytest

from app.sessionql.plan import Leaf, Window
from app.store.rollups.tables import PARTS
from tests.build import DAY, HOUR, log, page_load
from tests.driver import Index
from tests.store.test_rollups import LATER, readers, roll_up


def test_older_index_is_upgraded_and_says_so(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    """Only then: a new index, and one that is up to date, say nothing."""
    caplog.set_level(logging.INFO, "app.store")
    index.ingest(page_load("s1", "10:10:00", page="/a"))
    index.close()
    index.ingest(page_load("s2", "15:10:00", page="/b"))
    assert not caplog.messages
    index.close()
    with closing(sqlite3.connect(index.path)) as db:  # as it was before the last change
        db.execute("alter table loose drop column change")
        db.execute("delete from _sqlite_migrations where name = 'date_loose_strings'")
        db.commit()

    index.writer.expire(DAY + 12 * HOUR)

    assert caplog.messages == ["upgrading the index"]
    assert [row["id"] for row in index.rows()] == ["s2"]


def test_cells_of_an_older_index_answer_no_more_than_they_know(index: Index) -> None:
    """What rollups did not keep before is told by sessions until all is rolled up anew."""
    index.ingest(page_load("s1", "10:10:00") + log("s1", "12:10:00"))
    roll_up(index)
    index.close()
    with closing(sqlite3.connect(index.path)) as db:  # as it was before there was any
        parts = [at for at, name in enumerate(PARTS) if name.startswith("activity/")]
        db.execute(
            "delete from rollup_cells where (key >> 32) & 255 >= ?", (min(parts),)
        )
        db.execute("delete from _sqlite_migrations where name = 'roll_up_activity'")
        db.commit()
    leaf = Leaf("active")
    window = Window(DAY, DAY + 24 * HOUR, HOUR, LATER)
    active = [((), DAY + 10 * HOUR, 1), ((), DAY + 12 * HOUR, 1)]

    index.writer.expire(DAY)
    assert readers(index)[0].evaluate(leaf, window) == active
    roll_up(index)
    reader, _ = readers(index)
    assert reader.evaluate(leaf, window) == active
    assert [each.by for each in reader.take_answered()] == ["rollups"]
