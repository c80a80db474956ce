"""Jobs run on time in one process of many, and tell how they fare."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app import clock
from app.demo.standin import Fault, StandIn
from app.jobs.scheduler import LEASE, Jobs
from app.model import Entry
from app.settings import LokiSettings, Settings, SourceSettings
from app.store import open_reader, open_writer
from app.store.seam import JobStatus, Progress
from tests.build import DELAY, HOUR, page_load
from tests.driver import decode
from tests.worlds import PLAIN

NAME = "index faro"
PATIENCE_S = 15.0
QUERY = "/loki/api/v1/query_range"


def settings_for(folder: Path, url: str, **more: int) -> Settings:
    """Return settings of jobs in a hurry."""
    source = SourceSettings(
        selector='{job="faro"}',
        lag_ms=0,
        interval_ms=more.pop("interval_ms", 150),
        loki=LokiSettings(url=url, retries=0, connect_timeout_s=0.5),
    )
    known = Settings(index=folder / "skald.db", sources=(source,), lease_ms=900)
    return replace(known, **more)


@contextmanager
def running(settings: Settings) -> Iterator[Jobs]:
    """Run jobs for a while."""
    jobs = Jobs(settings)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something to come true."""
    end = clock.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not true():
        assert clock.monotonic() < end, f"waited in vain for {what}"
        pause.wait(0.02)


def status(settings: Settings) -> JobStatus:
    """Return how the index job fares; all zero as long as nobody has run it."""
    try:
        reader = open_reader(settings)
    except Exception:  # noqa: BLE001 - there is none yet
        return JobStatus(NAME, 0, 0, 0, 0, 0, "")
    found = {job.name: job for job in reader.jobs()}
    reader.close()
    return found.get(NAME, JobStatus(NAME, 0, 0, 0, 0, 0, ""))


def sessions(settings: Settings) -> int:
    """Return how many sessions the index holds."""
    reader = open_reader(settings)
    found = reader.size()["sessions"]
    reader.close()
    return found


def visit(session: str) -> list[Entry]:
    """Build a visit that comes in a moment, so that it is not late."""
    return page_load(session, clock.now() + DELAY)


@pytest.fixture
def loki() -> Iterator[StandIn]:
    """Return a stand-in that holds one visit."""
    with StandIn(limits=PLAIN) as loki:
        loki.load(visit("s1"))
        yield loki


def test_jobs_index_what_comes(tmp_path: Path, loki: StandIn) -> None:
    """What is in Loki is in the index soon, and what comes later too."""
    settings = settings_for(tmp_path, loki.url)
    with running(settings):
        until(lambda: sessions(settings) == 1, "the first session")
        loki.load(visit("s2"))
        until(lambda: sessions(settings) == 2, "the second session")

    assert status(settings).runs >= 2
    assert (status(settings).failures, status(settings).error) == (0, "")


def test_one_of_two_works_and_the_other_takes_over(
    tmp_path: Path, loki: StandIn
) -> None:
    """However many schedulers there are, one runs the jobs; when it goes, another."""
    settings = settings_for(tmp_path, loki.url)
    first = Jobs(settings)
    first.start()
    with running(settings) as second:
        until(lambda: status(settings).runs >= 3, "a few runs")
        assert first._leads.is_set()
        assert not second._leads.is_set()

        first.stop()
        until(second._leads.is_set, "the other to take over")
        loki.load(visit("s2"))
        until(lambda: sessions(settings) == 2, "the other to work")


def test_dead_scheduler_is_replaced_when_its_lease_ends(
    tmp_path: Path, loki: StandIn
) -> None:
    """A scheduler that dies gives nothing back; its lease runs out."""
    settings = settings_for(tmp_path, loki.url)
    dead = open_writer(settings)
    assert dead.acquire(LEASE, "the dead", clock.now(), 800)
    with running(settings) as jobs:
        assert not jobs._leads.is_set()
        assert status(settings).runs == 0

        until(jobs._leads.is_set, "the lease to run out")
        until(lambda: sessions(settings) == 1, "work to go on")
    dead.close()


def test_one_that_lost_its_lease_writes_nothing(tmp_path: Path, loki: StandIn) -> None:
    """Whoever slept through the end of its lease steps back before it writes."""
    settings = settings_for(tmp_path, loki.url)
    with running(settings) as jobs:
        until(lambda: sessions(settings) == 1, "the first session")
        thief = open_writer(settings)
        with thief.transaction() as db:
            db.execute("update leases set owner = 'another', until = until + 900000")
        loki.load(visit("s2"))
        until(lambda: not jobs._leads.is_set(), "it to step back")

        assert sessions(settings) == 1
        thief.close()


def test_slow_runs_are_not_started_twice_but_counted(
    tmp_path: Path, loki: StandIn
) -> None:
    """While a run lasts, those that were due are counted as missed."""
    loki.faults = [Fault(delay_s=0.7, only_paths=(QUERY,))]
    settings = settings_for(tmp_path, loki.url, interval_ms=100)
    with running(settings):
        until(lambda: status(settings).missed >= 2, "missed runs")
        loki.faults = []
        until(lambda: status(settings).runs >= 2, "runs all the same")


def test_loki_may_come_later(tmp_path: Path) -> None:
    """Loki away at the start is told, and no reason to give up."""
    with StandIn(limits=PLAIN) as gone:
        url = gone.url
    settings = settings_for(tmp_path, url)
    with running(settings):
        until(lambda: status(settings).failures >= 2, "failures")
        assert url in status(settings).error

        with StandIn(limits=PLAIN, port=int(url.rpartition(":")[2])) as loki:
            loki.load(visit("s1"))
            until(lambda: sessions(settings) == 1, "the session")
            until(lambda: not status(settings).error, "the error to be over")


def test_refusal_is_told_in_loki_s_words(tmp_path: Path, loki: StandIn) -> None:
    """A 400 is not repeated blindly, and its text is where people look."""
    text = "parse error at line 1, col 2: syntax error: unexpected moon"
    loki.faults = [Fault(status=400, body=text, only_paths=(QUERY,))]
    settings = settings_for(tmp_path, loki.url)
    with running(settings):
        until(lambda: status(settings).failures >= 1, "a failure")
        assert text in status(settings).error

        loki.faults = []
        until(lambda: sessions(settings) == 1, "nothing to be lost")


def test_full_index_loses_nothing(tmp_path: Path) -> None:
    """While there is no room nothing is written; the first run after it is whole."""
    with StandIn(limits=PLAIN) as full:
        full.load(each for n in range(300) for each in visit(f"s{n}"))
        settings = settings_for(tmp_path, full.url)
        with running(settings) as jobs:
            jobs._store._db.execute("pragma max_page_count = 1")
            until(lambda: full.counters[QUERY].requests >= 4, "tries")
            assert sessions(settings) == 0

            jobs._store._db.execute("pragma max_page_count = 1000000")
            until(lambda: sessions(settings) == 300, "all of the sessions")


def test_old_sessions_go(tmp_path: Path, loki: StandIn) -> None:
    """Sessions older than the retention are deleted when the jobs start."""
    settings = settings_for(tmp_path, loki.url, retention_ms=24 * HOUR)
    writer = open_writer(settings)
    old = page_load("old", clock.now() - 30 * HOUR)
    writer.ingest("faro", decode(old), Progress(0))
    writer.close()
    with running(settings):
        until(lambda: ids(settings) == {"s1"}, "only the new one")


def ids(settings: Settings) -> set[str]:
    """Return which sessions there are."""
    reader = open_reader(settings)
    found = {name for name in ("old", "s1") if reader.session("shop", name)}
    reader.close()
    return found


def test_stopping_gives_the_lease_back(tmp_path: Path, loki: StandIn) -> None:
    """A scheduler that is stopped leaves the jobs to the next one at once."""
    settings = settings_for(tmp_path, loki.url)
    with running(settings) as jobs:
        until(jobs._leads.is_set, "the lease")
    writer = open_writer(settings)

    assert writer.acquire(LEASE, "next", clock.now(), 1_000)
    writer.close()
