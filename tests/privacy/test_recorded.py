"""What rules recorded of one person, by name, goes with the person."""

import sqlite3
from contextlib import closing

from tests.build import page_load
from tests.driver import Index
from tests.privacy.oracle import erase

_SERIES = (
    (1, {"user": "u1", "app": "shop"}),
    (2, {"user": "u2", "app": "shop"}),
    (3, {"app": "u1"}),
    (4, {"user_email": "jane@example.org"}),
)


def test_series_of_the_person_go(index: Index) -> None:
    """Those with a label of users that names them; one that is called alike stays."""
    known = {"user_id": "u1", "user_email": "jane@example.org"}
    index.ingest(page_load("s1", "10:00", **known))
    with closing(sqlite3.connect(index.path)) as db:
        for number, labels in _SERIES:
            text = str(labels).replace("'", '"')
            row = (number, f"m{number}", text)
            db.execute(
                "insert into recorded_series values (?, 'default', ?, ?, 'r', 60000)",
                row,
            )
            db.executemany(
                "insert into recorded_samples values (?, ?, 1, ?)",
                [(number, at, at) for at in range(30)],
            )
            db.execute("insert into receiver_owed values (1, ?, 5)", (number,))
            db.execute(
                "insert into rule_alerts values"
                " ('default', 'r', ?, '{}', 'firing', 1, 1, 1, 0, 0, 0)",
                (text,),
            )
        db.commit()

    erase(index, "u1")

    with closing(sqlite3.connect(index.path)) as db:
        for table in ("recorded_samples", "receiver_owed"):
            left = db.execute(f"select distinct series from {table}")  # noqa: S608
            assert sorted(left.fetchall()) == [(2,), (3,)]
        series = db.execute("select id from recorded_series order by id").fetchall()
        alerts = db.execute("select count(*) from rule_alerts").fetchone()
    assert series == [(2,), (3,)]
    assert alerts == (2,)
