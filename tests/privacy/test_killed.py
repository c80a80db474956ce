"""Whenever an erasure dies, and however often, it ends the same."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orjson

from tests.driver import Index
from tests.privacy.oracle import batches, everything, lines_of, without
from tests.privacy.test_erasure import SIZE, built, case, users_of

ROOT = Path(__file__).parents[2]
COPIES, KILLS = 6, 12


def test_killed_erasure_goes_on(tmp_path: Path) -> None:
    """After kill -9 at random moments the index is as if the person had never come."""
    source, told, groups = case("faro")
    user = users_of("faro")[0]
    gone = lines_of(groups, user)
    index = built(tmp_path / "whole.db", source, batches(told, SIZE))
    parts = [without(part, gone) for part in batches(told, SIZE)]
    other = built(tmp_path / "other.db", source, parts)
    expected = everything(other)
    everything(index)
    for each in (index, other):
        each.close()
    with closing(sqlite3.connect(index.path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")

    numbers = map(str, (COPIES, KILLS, 7))
    done = subprocess.run(
        [sys.executable, "-m", "tests.privacy.erasing", index.path, user, *numbers],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr.decode()
    assert orjson.loads(done.stdout)["died"] > COPIES
    for number in range(COPIES):
        killed = Index(tmp_path / f"killed-{number}.db", replace(source))
        assert everything(killed) == expected
        with closing(sqlite3.connect(killed.path)) as db:
            (row,) = db.execute("select state, person from privacy_requests").fetchall()
            assert row == ("done", "")
            assert db.execute("select * from privacy_found").fetchall() == []
        killed.close()
