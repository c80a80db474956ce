"""Alerts: from pending over firing to resolved, as Prometheus moves them."""

from pathlib import Path
from typing import Any

import pytest

from app.errors import TooExpensive
from app.ruler.alerts import restore, to_send
from app.store.rule_seam import FIRING, INACTIVE, PENDING, AlertState
from tests.ruler.driver import World, values

ONE = """
groups:
  - name: g
    {group}
    rules:
      - alert: X
        expr: "{{}} | count_over_time() > 1"
        {rule}
"""
A, B = {"app": "a"}, {"app": "b"}
P, F, R = PENDING, FIRING, INACTIVE
ON = dict.fromkeys(range(1, 100), 1.0)
FAIL = TooExpensive("too slow")


def on(*minutes: float) -> dict[float, Any]:
    """Let the condition hold in these minutes."""
    return dict.fromkeys(minutes, 1.0)


# group, rule, minutes in which the condition holds, minute → state
STATES: dict[str, tuple[str, str, dict[float, Any], dict[float, str]]] = {
    "without for it fires at once": ("", "", on(1), {1: F}),
    "no condition, no alert": ("", "", on(), {1: ""}),
    "for holds it back": ("", "for: 2m", ON, {1: P, 2: P, 3: F, 4: F}),
    "for of one slot": ("", "for: 1m", ON, {1: P, 2: F}),
    "for between slots is rounded up": ("", "for: 90s", ON, {1: P, 2: P, 3: F}),
    "for that is shorter than a slot still waits for one": (
        "", "for: 1s", ON, {1: P, 2: F}),
    "a gap while pending starts it anew": (
        "", "for: 2m", on(1, 2, 4, 5, 6), {1: P, 2: P, 3: "", 4: P, 5: P, 6: F}),
    "it resolves when the condition ends": ("", "", on(1, 2), {1: F, 2: F, 3: R}),
    "it fires again after it was resolved": ("", "", on(1, 3), {1: F, 2: R, 3: F}),
    "it waits for for again": (
        "", "for: 1m", on(1, 2, 4, 5), {1: P, 2: F, 3: R, 4: P, 5: F}),
    "keep_firing_for holds it on": (
        "", "keep_firing_for: 2m", on(1), {1: F, 2: F, 3: F, 4: R}),
    "a condition that comes back begins it anew": (
        "", "keep_firing_for: 2m", on(1, 3), {1: F, 2: F, 3: F, 4: F, 5: F, 6: R}),
    "it holds nothing that is pending": (
        "", "for: 2m\n        keep_firing_for: 5m", on(1), {1: P, 2: ""}),
    "it may be shorter than a slot": (
        "", "keep_firing_for: 30s", on(1), {1: F, 2: F, 3: R}),
    "an error leaves alerts as they are": (
        "", "for: 2m", {**ON, 2: FAIL}, {1: P, 2: P, 3: F}),
    "an error resolves nothing": ("", "", {1: 1.0, 2: FAIL}, {1: F, 2: F, 3: R}),
    "a value of zero is a result": ("", "", {1: 0.0}, {1: F}),
    "resolved ones are kept for a while": (
        "", "", on(1), {1: F, 2: R, 17: R, 18: ""}),
    "pending ones are forgotten at once": ("", "for: 9m", on(1), {1: P, 2: ""}),
    "a limit that is kept": ("limit: 1", "", ON, {1: F}),
    "an offset delays it all": ("query_offset: 1m", "for: 1m", ON, {1: "", 2: P, 3: F}),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_states(name: str, tmp_path: Path) -> None:
    """Minute by minute the alert is in the state that the table says."""
    group, rule, answers, expected = STATES[name]
    world = World(tmp_path, ONE.format(group=group, rule=rule), {"X": answers})
    seen = {}

    for number in range(1, int(max(expected)) + 1):
        world.run(number)
        seen[number] = world.alerts().get("", "")

    assert {number: seen[number] for number in expected} == expected


def test_each_result_is_an_alert_of_its_own(tmp_path: Path) -> None:
    """Label sets go their ways apart."""
    answers = {1: values((A, 1)), 2: values((A, 1), (B, 1)), 3: values((B, 1))}
    world = World(tmp_path, ONE.format(group="", rule="for: 1m"), {"X": answers})

    world.run(1, 2, 3)

    assert world.alerts() == {"{app=a}": R, "{app=b}": F}


def test_over_the_limit_all_alerts_are_dropped(tmp_path: Path) -> None:
    """As in Prometheus: too many is none, and an error."""
    answers = {1: values((A, 1)), 2: values((A, 1), (B, 1))}
    world = World(tmp_path, ONE.format(group="limit: 1", rule=""), {"X": answers})

    world.run(1, 2)

    assert world.alerts() == {}


def test_equal_labels_are_an_error(tmp_path: Path) -> None:
    """Two results that the rule's labels make equal are no alert."""
    answers = {1: values((A, 1), (B, 1))}
    text = ONE.format(group="", rule="labels: {app: z}")
    world = World(tmp_path, text, {"X": answers})

    world.run(1)

    assert world.alerts() == {}


def test_alerts_are_series(tmp_path: Path) -> None:
    """ALERTS says the state, ALERTS_FOR_STATE since when; both end with the alert."""
    world = World(tmp_path, ONE.format(group="", rule="for: 1m"), {"X": on(1, 2)})

    world.run(1, 2, 3)

    found = world.samples("ALERTS")
    assert found["ALERTS{alertstate=pending}"] == {1: 1, 2: None}
    assert found["ALERTS{alertstate=firing}"] == {2: 1, 3: None}
    assert next(iter(world.samples("ALERTS_FOR_STATE").values()))[3] is None


def test_missed_slots_count_for_for(tmp_path: Path) -> None:
    """After a pause the missed slots are evaluated, so that for is exact."""
    world = World(tmp_path, ONE.format(group="", rule="for: 5m"), {"X": ON})

    world.run(1, 9)

    assert world.alerts() == {"": F}


def test_a_pause_in_which_the_condition_ended_starts_it_anew(tmp_path: Path) -> None:
    """What happened while nobody looked is seen when the slots are made up."""
    answers = {1: 1.0, 2: 1.0, 7: 1.0, 8: 1.0}
    world = World(tmp_path, ONE.format(group="", rule="for: 5m"), {"X": answers})

    world.run(1, 8)

    assert world.alerts() == {"": P}


M, H = 60_000, 3_600_000
RESTORED = [  # state, for, active since, down at, up at → active since; None = gone
    ("time of silence does not count", P, 60 * M, 0, 10 * M, 30 * M, 20 * M),
    ("ten minutes are left at least", P, 60 * M, 0, 55 * M, 70 * M, 20 * M),
    (
        "with exactly ten minutes left it is shifted",
        P,
        60 * M,
        0,
        50 * M,
        70 * M,
        20 * M,
    ),
    ("what had waited long enough fires", P, 60 * M, 0, 60 * M, 70 * M, 0),
    ("a short for begins as it was", P, 5 * M, 0, 2 * M, 30 * M, 0),
    (
        "after an hour pending ones begin anew",
        P,
        2 * H,
        0,
        10 * M,
        10 * M + H + 1,
        None,
    ),
    ("exactly an hour is tolerated", P, 2 * H, 0, 10 * M, 10 * M + H, H),
    ("firing ones stay as they are", F, 60 * M, 0, 90 * M, 100 * M, 0),
    ("even after hours", F, 60 * M, 0, 90 * M, 90 * M + 5 * H, 0),
]


@pytest.mark.parametrize(
    ("state", "hold", "since", "down", "up", "expected"),
    [each[1:] for each in RESTORED],
    ids=[each[0] for each in RESTORED],
)
def test_restoration(
    state: str, hold: int, since: int, down: int, up: int, expected: int | None
) -> None:
    """After slots that nobody makes up, alerts are restored as in Prometheus."""
    alert = AlertState({}, {}, state, 1.0, since)

    found = [each.active_at for each in restore([alert], hold, down, up)]

    assert found == ([] if expected is None else [expected])


SENT = [  # state, fired, resolved, sent, now → is sent
    ("pending is nobody's business", P, 0, 0, 0, 5 * M, False),
    ("firing is told at once", F, 5 * M, 0, 0, 5 * M, True),
    ("not again at once", F, 5 * M, 0, 5 * M, 5 * M + 1, False),
    ("again after the delay", F, 5 * M, 0, 5 * M, 6 * M, True),
    ("resolved is told at once", R, 4 * M, 5 * M, 4 * M + 59_000, 5 * M, True),
    ("and again", R, 4 * M, 5 * M, 5 * M, 6 * M, True),
    ("but not at once", R, 4 * M, 5 * M, 5 * M, 5 * M + 1, False),
]


@pytest.mark.parametrize(
    ("state", "fired", "resolved", "sent", "now", "expected"),
    [each[1:] for each in SENT],
    ids=[each[0] for each in SENT],
)
def test_what_the_alertmanager_is_told(
    state: str,
    fired: int,
    resolved: int,
    sent: int,
    now: int,
    expected: bool,  # noqa: FBT001
) -> None:
    """Firing alerts are repeated, resolved ones told at once."""
    alert = AlertState({}, {}, state, 1.0, 1, fired, resolved, sent)

    assert bool(to_send([alert], now, M)) == expected
