"""A scrape sees what holds now: valid names, bounded, nobody's id, and it lints."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import clock, create_app
from app.export.exposition import expose
from app.export.shown import choose
from app.ruler.describe import describe
from app.ruler.files import load_rules
from app.ruler.model import RECORD
from app.settings import RemoteWriteSettings, Settings
from app.store import open_rulebook
from app.store.feed_seam import Standing
from app.store.recorded import RULES
from app.store.rule_seam import Mark
from tests.export.prometheus import program
from tests.export.recorder import MINUTE, Recorder, series
from tests.export.sending import NOW, ago

Exposed = dict[str, dict[tuple[tuple[str, str], ...], float]]
SHOP = series(app="shop")


@pytest.fixture
def exposed(recorder: Recorder) -> Callable[..., Exposed]:
    """Return what a scrape sees: name → labels → value."""

    def _exposed(most: int = 100, now: int = NOW, own: bytes = b"") -> Exposed:
        reader = recorder.reader()
        text = expose(reader, most, now, own).decode()
        reader.close()
        return {
            family.name: {
                series(**sample.labels): sample.value for sample in family.samples
            }
            for family in text_string_to_metric_families(text)
        }

    return _exposed


def test_latest_values_are_exposed(
    recorder: Recorder, exposed: Callable[..., Exposed]
) -> None:
    """Of each series the newest value, under a name without colons, as promtool asks."""
    for minutes in (2, 1):
        recorder.record(ago(minutes), {SHOP: minutes, series(app="bank"): 7.5})

    assert exposed()["app_sessions_count"] == {SHOP: 1, series(app="bank"): 7.5}
    assert exposed()["skald_recorded_newest_timestamp_seconds"] == {(): ago(1) / 1000}


def test_what_ended_or_is_old_vanishes(
    recorder: Recorder, exposed: Callable[..., Exposed]
) -> None:
    """A series is shown until it ends, and no longer than its value holds."""
    recorder.record(ago(2), {SHOP: 1.0, series(app="bank"): 2.0})
    recorder.record(ago(1), {SHOP: 3.0})

    assert exposed()["app_sessions_count"] == {SHOP: 3.0}
    assert "app_sessions_count" not in exposed(now=NOW + 5 * MINUTE)


def test_no_session_or_user_is_exposed(
    recorder: Recorder, exposed: Callable[..., Exposed]
) -> None:
    """Series that say whose they are stay in the index, and are counted."""
    recorder.record(ago(1), {series(user="u"): 1.0, series(Session_Id="s"): 1.0})

    assert "app_sessions_count" not in exposed()
    dropped = exposed()["skald_recorded_series_dropped"]
    assert dropped[series(reason="identity")] == 2


def test_own_names_are_not_taken(
    recorder: Recorder, exposed: Callable[..., Exposed]
) -> None:
    """A rule cannot speak for the service."""
    recorder.record(ago(1), {SHOP: 1.0}, name="skald:up")
    own = b"# HELP skald_up x\n# TYPE skald_up gauge\nskald_up 1\n"

    assert "skald_up" not in exposed(own=own)
    assert exposed(own=own)["skald_recorded_series_dropped"][series(reason="name")] == 1


def standing(count: int, rule: str = "r", **more: str) -> list[Standing]:
    """Return series with the values 1, 2, ... of one rule."""
    return [
        Standing("pages", {"page": f"/{n}", **more}, float(n), ago(1), rule)
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize(("most", "other"), [(3, 6.0), (0, 21.0), (5, 1.0)])
def test_rest_of_counts_is_other(most: int, other: float) -> None:
    """No rule shows more series than is set, and one that has the sum of the rest."""
    shown = choose(standing(6, app="shop"), most, lambda _: True)

    _, pairs = shown.families["pages"]
    assert len(pairs) == most + 1
    assert pairs[-1] == ({"app": "shop", "page": "other"}, other)
    assert sum(value for _, value in pairs) == 21


def test_rest_of_ratios_is_left_out() -> None:
    """What cannot be added up is not; it is counted."""
    shown = choose(standing(6), 4, lambda _: False)

    _, pairs = shown.families["pages"]
    assert [value for _, value in pairs] == [6, 5, 4, 3]
    assert shown.dropped["limit"] == 2


def test_real_other_joins_the_rest() -> None:
    """A page that is called other does not make a series twice."""
    given = [*standing(3), Standing("pages", {"page": "other"}, 50.0, ago(1), "r")]
    _, pairs = choose(given, 2, lambda _: True).families["pages"]

    assert pairs == [({"page": "/3"}, 3.0), ({"page": "other"}, 53.0)]


def test_bound_is_that_of_a_rule() -> None:
    """Two rules that record under one name have a bound each; no labels come twice."""
    given = [*standing(3, "a", kind="a"), *standing(3, "b", kind="b")]
    given += [Standing("pages", {"page": "/3", "kind": "a"}, 9.0, ago(1), "c")]
    shown = choose(given, 2, lambda _: False)

    _, pairs = shown.families["pages"]
    assert [(each["kind"], value) for each, value in pairs] == [
        ("a", 3), ("a", 2), ("b", 3), ("b", 2),
    ]  # fmt: skip
    assert shown.dropped == {"limit": 2, "name": 1}


def test_other_follows_the_expression(
    recorder: Recorder, exposed: Callable[..., Exposed], tmp_path: Path
) -> None:
    """Whether values add up is read from the rule that recorded them."""
    path = tmp_path / "rules.yml"
    path.write_text(
        "groups:\n- name: g\n  rules:\n"
        "  - {record: 'a:count', expr: '{ } | count_over_time() by (page)'}\n"
        "  - {record: 'a:share', expr: '{ } | share_over_time(errors > 0) by (page)'}\n"
    )
    rules = load_rules(_with_rules(recorder, path))
    book = open_rulebook(recorder.settings)
    book.remember(RULES, Mark(1, describe(rules)))
    book.close()
    for rule in rules.rules():
        values = {series(page=f"/{n}"): float(n) for n in range(1, 4)}
        recorder.record(ago(1), values, name=rule.name, rule=rule.key)

    found = exposed(most=1)
    assert found["a_count"] == {series(page="/3"): 3.0, series(page="other"): 3.0}
    assert found["a_share"] == {series(page="/3"): 3.0}


def _with_rules(recorder: Recorder, path: Path) -> Settings:
    return replace(recorder.settings, rules=(str(path),), shipped_rules=False)


def test_promtool_finds_nothing_to_say(recorder: Recorder) -> None:
    """What the service exposes, its own metrics and recorded ones, passes the lint."""
    recorder.record(clock.now(), {SHOP: 1.5, series(app='b"\\\n'): float("inf")})
    for rule in load_rules(Settings()).rules():
        name = rule.name if rule.kind == RECORD else "ALERTS"
        recorder.record(clock.now(), {SHOP: 1.0}, name=name, rule=rule.key)
    feed = recorder.feed()
    feed.join(RemoteWriteSettings().name, 0)
    feed.close()
    client = create_app(recorder.settings).test_client()
    text = client.get("/metrics").get_data()
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=text, capture_output=True, check=False,
    )  # fmt: skip

    assert b"\napp_sessions_count{" in text
    assert b'skald_remote_write_samples_pending{receiver="prometheus"} ' in text
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
