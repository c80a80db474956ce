"""An index of an older Skald is brought up to date when it is opened for writing."""

import logging
import sqlite3
from contextlib import closing

import pytest

from tests.build import DAY, HOUR, page_load
from tests.driver import Index


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
