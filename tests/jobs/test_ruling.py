"""Rules in a running process: on time, reloaded, and never in the way."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs.ruling import RuleJobs
from app.ruler.problems import RuleFileError
from app.settings import Settings
from app.store import open_reader, open_writer
from app.store.recorded import RELOAD, RULES

LEASE = ("jobs", "me")
RULE = """
groups:
  - name: g
    interval: 1s
    query_offset: 0s
    rules:
      - record: all:skald_sessions:count
        expr: '{} | count_over_time()'
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with one rule file, and an empty index whose lease is held."""
    path = tmp_path / "rules.yml"
    path.write_text(RULE)
    settings = Settings(
        index=tmp_path / "skald.db",
        shipped_rules=False,
        rules=(str(path),),
        rule_patience_ms=0,
    )
    writer = open_writer(settings)
    writer.acquire(*LEASE, 0, 1 << 50)
    writer.close()
    return settings


@contextmanager
def running(settings: Settings, *, leads: bool = True) -> Iterator[RuleJobs]:
    """Run the rules of a process."""
    event = threading.Event()
    if leads:
        event.set()
    jobs = RuleJobs(settings, LEASE, event)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


def wait_for(is_there: Callable[[], bool]) -> bool:
    """Wait a few seconds for something to come true."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if is_there():
            return True
        time.sleep(0.05)
    return False


def iterations(settings: Settings) -> int:
    """Return how many slots were evaluated."""
    reader = open_reader(settings)
    found = reader.groups()
    reader.close()
    return sum(each.iterations for each in found.values())


def test_groups_are_evaluated_again_and_again(settings: Settings) -> None:
    """A group of one second has several slots after a while."""
    with running(settings):
        assert wait_for(lambda: iterations(settings) >= 2)


def test_without_the_lease_nothing_is_evaluated(settings: Settings) -> None:
    """Of several processes one evaluates."""
    with running(settings, leads=False):
        time.sleep(0.5)

    assert iterations(settings) == 0


def test_an_index_that_holds_nothing_yet_is_waited_for(settings: Settings) -> None:
    """What is asked before the first line was read would be recorded as nothing."""
    with running(replace(settings, rule_patience_ms=60_000)):
        time.sleep(0.5)

    assert iterations(settings) == 0


def test_a_broken_file_stops_the_start(settings: Settings) -> None:
    """There are no rules of before that could stay in force."""
    Path(settings.rules[0]).write_text("groups: 3")

    with pytest.raises(RuleFileError):
        RuleJobs(settings, LEASE, threading.Event())


def test_a_bad_reload_keeps_the_old_rules(settings: Settings) -> None:
    """Files that cannot be used change nothing, and everybody can see why."""
    path = Path(settings.rules[0])
    with running(settings) as jobs:
        wait_for(lambda: iterations(settings) >= 1)
        before = jobs.rules

        path.write_text("groups: 3")
        jobs._reload()

        reader = open_reader(settings)
        told, described = reader.mark(RELOAD), reader.mark(RULES).text
        reader.close()
        assert jobs.rules == before
        assert told.value == 0
        assert "is no list" in told.text
        assert "all:skald_sessions:count" in described


def test_a_good_reload_is_in_force_at_once(settings: Settings) -> None:
    """New groups are evaluated, old series end."""
    path = Path(settings.rules[0])
    with running(settings) as jobs:
        wait_for(lambda: iterations(settings) >= 1)

        path.write_text(RULE.replace("all:skald_sessions:count", "all:other:count"))
        jobs._reload()

        def names() -> set[str]:
            reader = open_reader(settings)
            found = reader.changes(0, 10_000)
            reader.close()
            return {each.name for each in found}

        assert wait_for(lambda: "all:other:count" in names())
        reader = open_reader(settings)
        ended = [each for each in reader.changes(0, 10_000) if each.value is None]
        reader.close()
        assert {each.name for each in ended} == {"all:skald_sessions:count"}
