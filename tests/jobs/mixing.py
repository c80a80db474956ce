"""Kill processes that run all jobs; run as a process of its own, which forks them."""

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson

from app import clock
from app.jobs import index as jobs_index
from app.jobs import scheduler
from app.settings import LokiSettings, Settings, SourceSettings
from app.store import open_privacy_book, privacy
from app.store.privacy_seam import ERASURE
from tests.build import HOUR, MS
from tests.jobs.killing import kill_many

FLUSH = 100  # entries a commit
PATIENCE_S = 60.0
RETENTION = 6 * HOUR
_LEFT = (
    "select count(*) from rollup_dirty where level = 0 and bucket < :settled",
    "select count(*) from columns_dirty where hour < :settled",
    "select count(*) from sessions where end < :old",
    "select count(*) from loose",
    "select count(*) from privacy_requests where state <> 'done'",
    "select count(*) from sources where cursor < :end",
)


def settings_for(path: Path, url: str) -> Settings:
    """Return settings of jobs that are always at work."""
    source = SourceSettings(
        selector='{app_name=~".+"}',
        lag_ms=0,
        interval_ms=150,
        loki=LokiSettings(url=url, limit=200),
    )
    return Settings(
        index=path,
        sources=(source,),
        lease_ms=200,
        retention_ms=RETENTION,
        rule_interval_ms=1_000,
        rule_offset_ms=0,
    )


def work(settings: Settings, user: str, end: int) -> None:
    """Run the jobs until there is nothing left to do, up to the instant *end* (ms)."""
    jobs = scheduler.Jobs(settings)
    with closing(open_privacy_book(settings)) as book, closing(_look(settings)) as db:
        if not db.execute("select 1 from privacy_requests").fetchone():
            book.add(ERASURE, user, clock.now())
        jobs.start()
        until = time.monotonic() + PATIENCE_S
        while left := _left(db, end):
            assert time.monotonic() < until, left
            time.sleep(0.05)
        jobs.stop()


def _look(settings: Settings) -> sqlite3.Connection:
    return sqlite3.connect(settings.index, isolation_level=None, timeout=10)


def _left(db: sqlite3.Connection, end: int) -> list[int]:
    """Return how much is still to be done, by kind; nothing when all is done."""
    asked = {"settled": end, "old": clock.now() - RETENTION, "end": end * MS}
    found = [db.execute(each, asked).fetchone()[0] for each in _LEFT]
    return found if any(found) else []


def main(folder: str, kills: int, seed: int, url: str, user: str, end: int) -> None:
    """Kill, and say what came of it."""
    jobs_index.FLUSH_ENTRIES = FLUSH
    scheduler.RETENTION_S = scheduler.ROLLUPS_S = scheduler.PRIVACY_S = 0.3  # type: ignore[assignment]
    privacy.LEASE_MS = 300

    def run(path: Path) -> None:
        work(settings_for(path, url), user, end)

    told = kill_many(run, Path(folder), kills, seed)
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main(
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        *sys.argv[4:6],
        int(sys.argv[6]),
    )  # type: ignore[call-arg]
