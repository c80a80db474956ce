"""Whenever a process dies that runs all jobs, and however often, nothing is amiss after."""

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import orjson

from app import clock
from app.demo.standin import StandIn
from app.demo.world import World
from app.model import Entry
from app.sessionql.filters import Compare
from app.sessionql.plan import Leaf, Window
from app.store import open_reader
from app.store.seam import Reader
from tests.build import HOUR
from tests.dump import dump
from tests.jobs.mixing import RETENTION, settings_for
from tests.worlds import PLAIN

TIMES = int(os.environ.get("SKALD_KILLS", "1"))
KILLS = 12
ROOT = Path(__file__).parents[2]
_ALWAYS = {"seconds", "sources"}  # also tell when they were read
_LEAVES = (
    Leaf("count"),
    Leaf("count", by=("source",)),
    Leaf("count", by=("browser", "app")),
    Leaf("sum", "views", by=("page",)),
    Leaf("distinct", "user"),
    Leaf("distinct", "user", selector=Compare("returning", "=", (False,))),
    Leaf("active"),
)


def coming(end: int) -> list[Entry]:
    """Make what retention deletes, a pause, and what stays; until *end* (ms)."""
    world = World(7, sessions_per_hour=25, dialect="mixed")
    old = end - RETENTION
    return [
        *world.history(old - 5 * HOUR, old - 3 * HOUR, whole=True),
        *world.history(end - 4 * HOUR, end - HOUR, whole=True),
    ]


def answers(reader: Reader, end: int) -> list[list[tuple[object, ...]]]:
    """Return what is asked of whole hours, and in steps of one."""
    since, now = end - 12 * HOUR, clock.now()
    return [
        sorted(reader.evaluate(leaf, Window(since, end, step, now)))
        for leaf in _LEAVES
        for step in (0, HOUR)
    ]


def test_killed_jobs_leave_the_same_index(tmp_path: Path) -> None:
    """Lines come, a person is erased, old sessions go, hours are rolled up, rules run."""
    end = clock.now() // HOUR * HOUR
    lines = coming(end)
    (user,) = [re.findall(r"user_id=(\S+)", each.line) for each in lines if "user_id=" in each.line][-1]  # fmt: skip
    with StandIn(limits=PLAIN) as loki:
        loki.load(lines)
        asked = (tmp_path, KILLS * TIMES, 3, loki.url, user, end)
        done = subprocess.run(
            [sys.executable, "-m", "tests.jobs.mixing", *map(str, asked)],
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=120 * TIMES,
        )
    assert done.returncode == 0, done.stderr.decode()
    told = orjson.loads(done.stdout)
    expected = dump(tmp_path / "whole.db", counters=False)

    assert told["died"] == KILLS * TIMES
    assert len(expected["sessions"]) > 30
    for path in map(Path, told["files"]):
        found = dump(path, counters=False)
        assert {**found, **dict.fromkeys(_ALWAYS)} == {
            **expected,
            **dict.fromkeys(_ALWAYS),
        }
        settings = settings_for(path, "")
        with (
            closing(open_reader(settings)) as rolled,
            closing(open_reader(settings, exact=True)) as exact,
        ):
            assert answers(rolled, end) == answers(exact, end)
