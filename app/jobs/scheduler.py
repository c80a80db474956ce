"""Run the jobs on time: one scheduler at a time, however many processes there are."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.events import (
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from app import clock
from app.errors import LeaseLost, SkaldError
from app.jobs.index import Indexer
from app.jobs.privacy import PrivacyJob
from app.jobs.retention import expire, expire_orphans
from app.jobs.rollups import roll_up
from app.jobs.ruling import RuleJobs
from app.jobs.writing import Receivers
from app.settings import Settings, SourceSettings
from app.sources.loki import LokiSource
from app.store import open_writer
from app.store.seam import JobStatus

log = logging.getLogger(__name__)

LEASE = "jobs"
RETENTION_S = 3_600
ROLLUPS_S = 20.0  # how often to look, and how long a run may take
PRIVACY_S = 5.0  # how often to look for requests about one person's data
RUN_S = 60.0  # an index run commits and looks around at least that often
GRACE_S = 3_600  # a job that starts so late still runs: work follows cursors, not times


class Jobs:
    """The jobs of one process; they run only while it holds the lease.

    Args:
        settings: sources, retention, lease.

    Raises:
        StoreError: the index cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._store = open_writer(settings)
        self._stop = threading.Event()
        self._leads = threading.Event()
        self._rules = RuleJobs(settings, (LEASE, self._owner), self._leads)
        self._receivers = Receivers(settings, self._stop, self._leads)
        self._privacy = PrivacyJob(settings, self._owner, self._stop, self._leads)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(settings.sources) + 2)},
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": GRACE_S,
            },
        )
        self._scheduler.add_listener(
            self._count_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
        )

    def start(self) -> None:
        """Begin; the first runs start at once if the lease is free."""
        self._keep_lease()
        self._every(self._settings.lease_ms / 3_000, "lease", self._keep_lease)
        for source in self._settings.sources:
            self._add_source(source)
        self._every(RETENTION_S, "retention", self._guarded("retention", self._expire))
        self._every(ROLLUPS_S, "rollups", self._guarded("rollups", self._roll_up))
        self._scheduler.add_executor(ThreadPoolExecutor(1), "privacy")
        serve = self._guarded("privacy", self._privacy.run)
        self._every(PRIVACY_S, "privacy", serve, "privacy")
        for name, receiver, write in self._receivers.jobs():
            self._scheduler.add_executor(ThreadPoolExecutor(1), name)
            seconds = receiver.interval_ms / 1000
            self._every(seconds, name, self._guarded(name, write), name)
        self._scheduler.start()
        self._rules.start()

    def stop(self) -> None:
        """End runs under way at their next page, and give the lease back."""
        self._stop.set()
        self._receivers.hang_up()
        self._rules.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        try:
            self._store.release(LEASE, self._owner)
        except SkaldError as error:
            log.warning("lease not released", extra={"reason": str(error)})
        self._receivers.close()
        self._privacy.close()
        self._store.close()

    def _add_source(self, source: SourceSettings) -> None:
        reader = LokiSource(source, stop=self._stop)
        indexer = Indexer(source, reader, self._store, (LEASE, self._owner))
        name = f"index {source.name}"

        def index() -> None:
            self._index(indexer, name)

        self._every(source.interval_ms / 1000, name, self._guarded(name, index))

    def _every(
        self, seconds: float, name: str, run: Callable[[], None], pool: str = "default"
    ) -> None:
        self._scheduler.add_job(
            run,
            "interval",
            seconds=seconds,
            id=name,
            name=name,
            executor=pool,
            next_run_time=datetime.fromtimestamp(clock.now() / 1000, UTC),
        )

    # -- what runs -----------------------------------------------------------------

    def _keep_lease(self) -> None:
        """Take or renew the lease; without it, jobs wait."""
        now = clock.now()
        try:
            held = self._store.acquire(LEASE, self._owner, now, self._settings.lease_ms)
        except SkaldError as error:
            log.warning("lease not renewed", extra={"reason": str(error)})
            return
        if held and not self._leads.is_set():
            log.info("took the jobs", extra={"owner": self._owner})
            self._leads.set()
        elif not held and self._leads.is_set():
            log.warning("lost the jobs to another scheduler")
            self._leads.clear()

    def _index(self, indexer: Indexer, name: str) -> None:
        """Follow one source until there is nothing left to read."""
        while not self._stop.is_set() and self._leads.is_set():
            began = clock.monotonic()
            report = indexer.follow(clock.now(), deadline=began + RUN_S)
            took_ms = round((clock.monotonic() - began) * 1000)
            if report.entries:
                log.info(
                    "indexed", extra={"job": name, "took_ms": took_ms} | report.facts()
                )
            if report.is_done:
                return

    def _roll_up(self) -> None:
        ends = clock.monotonic() + ROLLUPS_S
        roll_up(
            self._store,
            self._settings.bounce,
            lambda: self._leads.is_set() and clock.monotonic() < ends,
            self._stop,
        )

    def _expire(self) -> None:
        gone = expire(
            self._store, clock.now() - self._settings.retention_ms, self._stop
        )
        orphans = expire_orphans(self._store, clock.now(), self._stop)
        if gone or orphans:
            log.info("expired", extra={"sessions": gone, "orphans": orphans})

    def _guarded(self, name: str, run: Callable[[], None]) -> Callable[[], None]:
        """Return a job that runs only with the lease, and tells how it went."""

        def guarded() -> None:
            if not self._leads.is_set() or self._stop.is_set():
                return
            started, began = clock.now(), clock.monotonic()
            error = ""
            try:
                run()
            except LeaseLost as lost:
                self._leads.clear()
                error = str(lost)
            except SkaldError as known:
                error = str(known)
            except Exception as unknown:
                error = f"{type(unknown).__name__}: {unknown}"
                log.exception("job failed", extra={"job": name})
            if error and not self._stop.is_set():
                log.error("job failed", extra={"job": name, "reason": error})
            took_ms = round((clock.monotonic() - began) * 1000)
            self._record(JobStatus(name, 1, bool(error), 0, started, took_ms, error))

        return guarded

    def _count_missed(self, event: JobEvent) -> None:
        self._record(JobStatus(event.job_id, 0, 0, 1, 0, 0, ""))

    def _record(self, status: JobStatus) -> None:
        try:
            self._store.record(status)
        except SkaldError as error:  # such as a full disk: the log has it
            log.warning("job not recorded", extra={"reason": str(error)})
