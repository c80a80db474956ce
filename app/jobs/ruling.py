"""Run the rules on time, beside the other jobs and never in their way.

Rules have a scheduler and a pool of threads of their own: however slow they are, the
indexer's threads stay free. They run only while their process holds the lease.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from app import clock
from app.errors import LeaseLost, SkaldError
from app.ruler.describe import describe
from app.ruler.files import find_files, load_rules
from app.ruler.model import Group, RuleSet
from app.ruler.problems import RuleFileError
from app.ruler.ruler import Ruler
from app.settings import Settings
from app.store import open_exact_reader, open_rulebook
from app.store.recorded import RELOAD, RULES
from app.store.rule_seam import Mark

log = logging.getLogger(__name__)

LOOK_S = 5.0  # how often a group looks whether a slot is due
RELOAD_S = 15.0  # how often the files are looked at
CORRECT_S = 30.0  # how often what came late is looked for
UPKEEP_S = 3_600.0
HOUR = 3_600_000  # ms
GRACE_S = 3_600
_GROUP = "rules "  # begin of a job's id


class RuleJobs:
    """The rules of one process.

    Args:
        settings: files, bounds, Alertmanagers.
        lease: (name, owner) that must hold for anything to be kept.
        leads: set while this process holds the lease.

    Raises:
        RuleFileError: the files cannot be used: nothing is in force yet to be kept.
        StoreError: the index cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        lease: tuple[str, str],
        leads: threading.Event,
    ) -> None:
        self._settings = settings
        self._leads = leads
        self._stop = threading.Event()
        self._signature = self._look_at_files()
        self.rules = load_rules(settings)
        self._book = open_rulebook(settings)
        self._ruler = Ruler(settings, self._book, open_exact_reader, lease, self._stop)
        self._announced = False
        self._began = clock.now()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                "default": ThreadPoolExecutor(settings.rule_workers),
                "upkeep": ThreadPoolExecutor(1),
            },
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": GRACE_S,
            },
        )

    def start(self) -> None:
        """Begin."""
        self._put_in_force(self.rules)
        self._every(RELOAD_S, "reload", self._reload)
        self._every(CORRECT_S, "correct", self._correct)
        self._every(UPKEEP_S, "upkeep", self._upkeep)
        self._scheduler.start()

    def stop(self) -> None:
        """End evaluations under way at their next slot."""
        self._stop.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._book.close()

    def _every(
        self, seconds: float, name: str, run: Callable[[], None], pool: str = "upkeep"
    ) -> None:
        self._scheduler.add_job(
            self._guarded(name, run),
            "interval",
            seconds=seconds,
            id=name,
            name=name,
            executor=pool,
            replace_existing=True,
            next_run_time=datetime.fromtimestamp(clock.now() / 1000, UTC),
        )

    def _guarded(self, name: str, run: Callable[[], None]) -> Callable[[], None]:
        """Return a job that runs only with the lease, and whose failure is told."""

        def guarded() -> None:
            if not self._leads.is_set() or self._stop.is_set():
                return
            try:
                run()
            except LeaseLost:
                self._leads.clear()
            except SkaldError as error:
                log.warning("rules failed", extra={"job": name, "reason": str(error)})
            except Exception:
                log.exception("rules failed", extra={"job": name})

        return guarded

    # -- files ---------------------------------------------------------------------

    def _look_at_files(self) -> list[tuple[str, int, int]]:
        """Return what changes when a file does; one that is gone is a change too."""
        try:
            found = find_files(self._settings)
        except RuleFileError:
            return []
        return [(name, *_stat(path)) for name, path in found]

    def _put_in_force(self, rules: RuleSet) -> None:
        """Evaluate *rules* from now on, and no others."""
        self.rules = rules
        wanted = {f"{_GROUP}{group.key}" for group in rules.groups}
        for job in self._scheduler.get_jobs():
            if job.id.startswith(_GROUP) and job.id not in wanted:
                job.remove()
        for group in rules.groups:
            seconds = min(LOOK_S, group.interval / 1000)
            name = f"{_GROUP}{group.key}"
            self._every(seconds, name, self._runner(group), "default")

    def _runner(self, group: Group) -> Callable[[], None]:
        def run() -> None:
            if self._is_early():
                return
            done = self._ruler.run(group, clock.now())
            if done:
                log.info("rules evaluated", extra={"group": group.key, "slots": done})

        return run

    def _is_early(self) -> bool:
        """Tell whether nothing was ever indexed: an answer now would be an empty one."""
        if clock.now() > self._began + self._settings.rule_patience_ms:
            return False
        names = {each.name for each in self._settings.sources}
        with closing(open_exact_reader(self._settings)) as reader:
            sources = reader.sources()
        return not any(each.cursor for each in sources if each.name in names)

    def _reload(self) -> None:
        """Put changed files in force if all are good, else keep those that are."""
        signature = self._look_at_files()
        if signature == self._signature and self._announced:
            return
        problems = ""
        if signature != self._signature:
            self._signature = signature
            try:
                self._put_in_force(load_rules(self._settings))
            except RuleFileError as error:
                problems = str(error)
                log.warning("rules not reloaded", extra={"reason": problems})
        self._announce(problems)

    def _announce(self, problems: str) -> None:
        """Tell every process what is in force, and end what is not any more."""
        now = clock.now()
        self._book.remember(RULES, Mark(now, describe(self.rules)))
        self._book.remember(RELOAD, Mark(0 if problems else now, problems))
        self._book.end_series([rule.key for rule in self.rules.rules()])
        self._announced = True

    # -- upkeep --------------------------------------------------------------------

    def _correct(self) -> None:
        done = self._ruler.correct(self.rules, clock.now())
        if done:
            log.info("rules corrected", extra={"slots": done})

    def _upkeep(self) -> None:
        now = clock.now()
        thinned = self._book.thin(now - self._settings.rule_detail_ms, HOUR)
        gone = 0
        while not self._stop.is_set():
            expired = self._book.expire(now - self._settings.rule_retention_ms)
            gone += expired
            if not expired:
                break
        if thinned or gone:
            log.info("samples let go", extra={"thinned": thinned, "expired": gone})


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
