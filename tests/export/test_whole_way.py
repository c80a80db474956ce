"""From rule files to a real Prometheus: what the rules' job records is what it holds."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app import clock
from app.export.sender import Sender
from app.jobs.scheduler import Jobs
from app.settings import Settings
from app.store import open_feed, open_reader
from tests.build import MINUTE, js_error, page_load
from tests.driver import Index
from tests.export.prometheus import Prometheus, Samples, eventually, free_port, serving
from tests.export.recorder import receiver

RULES = """
groups:
  - name: whole
    interval: 1s
    query_offset: 0s
    labels: {team: web}
    rules:
      - record: app:whole_sessions:count1h
        expr: '{ }[1h] | count_over_time() by (app)'
      - record: app:whole_errors:ratio1h
        expr: '{ }[1h] | share_over_time(errors > 0) by (app)'
      - record: app:whole_good_sessions:count1h
        expr: app:whole_sessions:count1h * (1 - app:whole_errors:ratio1h)
"""
COUNT, SHARE, GOOD = (
    "app:whole_sessions:count1h", "app:whole_errors:ratio1h",
    "app:whole_good_sessions:count1h",
)  # fmt: skip


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Return an index of sessions of the last minutes: 2 of 4 and 0 of 1 had errors."""
    index = Index(tmp_path / "skald.db")
    now = clock.now()
    for number in range(4):
        index.feed(page_load(f"s{number}", now - (9 - number) * MINUTE))
    index.feed(js_error("s0", now - 4 * MINUTE), js_error("s1", now - 3 * MINUTE))
    index.feed(page_load("b", now - 5 * MINUTE, app_name="bank"))
    index.ingest(index.entries)
    yield index
    index.close()


@pytest.mark.slow
def test_prometheus_holds_what_the_rules_recorded(index: Index, tmp_path: Path) -> None:
    """By scrape and by remote write: the values counted by hand, every slot of them."""
    (tmp_path / "rules.yml").write_text(RULES)
    port = free_port()
    server = Prometheus(tmp_path, f"127.0.0.1:{port}").start()
    settings = replace(
        index.settings,
        sources=(),
        shipped_rules=False,
        rules=(str(tmp_path / "rules.yml"),),
        rule_patience_ms=0,
        remote_write=(receiver(server.write_url, name="prom", interval_ms=200),),
    )
    try:
        with running(settings), serving(settings, port):
            eventually(lambda: both_hold(server, {"shop": 4, "bank": 1}, {"shop": 0.5}))
            index.ingest(page_load("late", clock.now(), app_name="bank"))
            eventually(lambda: both_hold(server, {"shop": 4, "bank": 2}, {"shop": 0.5}))
        send_the_rest(settings)

        for name in (COUNT, SHARE, GOOD):
            recorded = samples_of(settings, name)
            assert server.samples(name, clock.now()) == recorded
            assert len(recorded["shop"]) > 1
        assert {value for _, value in samples_of(settings, GOOD)["shop"]} == {2.0}
    finally:
        server.kill()


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Run the jobs of a process."""
    jobs = Jobs(settings)
    jobs.start()
    try:
        yield
    finally:
        jobs.stop()


def both_hold(
    server: Prometheus, counts: dict[str, float], shares: dict[str, float]
) -> bool:
    """Tell whether what holds now is that, scraped and written alike."""
    shares = dict.fromkeys(counts, 0.0) | shares
    wanted = ((COUNT, counts), (SHARE, shares))
    return all(
        holding(server, seen, job) == values
        for name, values in wanted
        for seen, job in ((name, ""), (name.replace(":", "_"), "skald"))
    )


def holding(server: Prometheus, name: str, job: str) -> dict[str, float]:
    """Return the values that hold now, by application."""
    query = f'{{__name__="{name}",job="{job}",team="web"}}'
    found = server.ask(query, clock.now())
    return {each["metric"]["app"]: float(each["value"][1]) for each in found}


def send_the_rest(settings: Settings) -> None:
    """Go on where the job stopped, as the next process does."""
    with closing(open_feed(settings)) as feed:
        sender = Sender(
            settings.remote_write[0], feed, settings.rule_horizon_ms, lambda _: False
        )
        sender.run(clock.monotonic() + 5)
        sender.close()


def samples_of(settings: Settings, name: str) -> Samples:
    """Return what the index holds of a name: by application, in order."""
    found: Samples = defaultdict(list)
    with closing(open_reader(settings)) as reader:
        for each in reader.changes(0, 100_000):
            if each.name == name and each.value is not None:
                found[each.labels["app"]].append((each.at, each.value))
    return {app: sorted(samples) for app, samples in found.items()}
