"""Recording rules: staleness, limit, duplicates, what was missed, what came late."""

from pathlib import Path
from typing import Any

import pytest

from app.errors import StoreBusy, TooExpensive
from app.ruler.evaluate import Overlay
from app.ruler.model import Value
from app.sessionql.plan import Recorded
from app.store import open_reader
from tests.ruler.driver import World, minute, values

ONE = """
groups:
  - name: g
    {group}
    rules:
      - record: a:b
        expr: "{{}} | count_over_time()"
        {rule}
"""
A, B = {"app": "a"}, {"app": "b"}
FAIL = TooExpensive("too slow")
GONE = None

# group, rule, answers by minute, minutes at which it runs → samples
VECTORS: dict[str, tuple[str, str, dict[float, Any], list[float], dict[str, Any]]] = {
    "a value is recorded at its slot": (
        "", "", {1: 5}, [1], {"a:b": {1: 5}}),
    "a slot that is run again changes nothing": (
        "", "", {1: 5}, [1, 1, 1.5], {"a:b": {1: 5}}),
    "each slot has its sample": (
        "", "", {1: 5, 2: 6, 3: 7}, [1, 2, 3], {"a:b": {1: 5, 2: 6, 3: 7}}),
    "a late look is recorded at the slot": (
        "", "", {1: 5}, [1.9], {"a:b": {1: 5}}),
    "no result, no sample": (
        "", "", {}, [1, 2], {}),
    "a series that vanishes ends": (
        "", "", {1: 5}, [1, 2], {"a:b": {1: 5, 2: GONE}}),
    "it ends once": (
        "", "", {1: 5}, [1, 2, 3, 4], {"a:b": {1: 5, 2: GONE}}),
    "it may come back": (
        "", "", {1: 5, 3: 6}, [1, 2, 3], {"a:b": {1: 5, 2: GONE, 3: 6}}),
    "and end again": (
        "", "", {1: 5, 3: 6}, [1, 2, 3, 4], {"a:b": {1: 5, 2: GONE, 3: 6, 4: GONE}}),
    "one of two ends": (
        "", "", {1: values((A, 1), (B, 2)), 2: values((B, 3))}, [1, 2],
        {"a:b{app=a}": {1: 1, 2: GONE}, "a:b{app=b}": {1: 2, 2: 3}}),
    "zero is a value": (
        "", "", {1: 0, 2: 0}, [1, 2], {"a:b": {1: 0, 2: 0}}),
    "not a number is no value": (
        "", "", {1: float("nan")}, [1], {}),
    "a number that is none any more ends the series": (
        "", "", {1: 5, 2: float("nan")}, [1, 2], {"a:b": {1: 5, 2: GONE}}),
    "infinity is a value": (
        "", "", {1: float("inf")}, [1], {"a:b": {1: float("inf")}}),
    "labels of the rule are added": (
        "", "labels: {team: web}", {1: 5}, [1], {"a:b{team=web}": {1: 5}}),
    "they override": (
        "", "labels: {app: z}", {1: values((A, 1))}, [1], {"a:b{app=z}": {1: 1}}),
    "an empty label removes one": (
        "", "labels: {app: ''}", {1: values((A, 1))}, [1], {"a:b": {1: 1}}),
    "labels of the group are added": (
        "labels: {team: web}", "", {1: 5}, [1], {"a:b{team=web}": {1: 5}}),
    "those of the rule override them": (
        "labels: {team: web}", "labels: {team: app}", {1: 5}, [1],
        {"a:b{team=app}": {1: 5}}),
    "equal labels after that are an error, and nothing is kept": (
        "", "labels: {app: z}", {1: values((A, 1), (B, 2))}, [1], {}),
    "an error ends no series": (
        "", "", {1: 5, 2: FAIL, 3: 6}, [1, 2, 3], {"a:b": {1: 5, 3: 6}}),
    "what vanishes during an error ends after it": (
        "", "", {1: 5, 2: FAIL}, [1, 2, 3], {"a:b": {1: 5, 3: GONE}}),
    "a limit that is kept": (
        "limit: 2", "", {1: values((A, 1), (B, 2))}, [1],
        {"a:b{app=a}": {1: 1}, "a:b{app=b}": {1: 2}}),
    "over the limit, all of it is discarded": (
        "limit: 1", "", {1: values((A, 1), (B, 2))}, [1], {}),
    "and no series ends": (
        "limit: 1", "", {1: values((A, 1)), 2: values((A, 1), (B, 2)), 3: values((A, 3))},
        [1, 2, 3], {"a:b{app=a}": {1: 1, 3: 3}}),
    "limit 0 is none": (
        "limit: 0", "", {1: values((A, 1), (B, 2))}, [1],
        {"a:b{app=a}": {1: 1}, "a:b{app=b}": {1: 2}}),
    "missed slots are made up": (
        "", "", {1: 1, 2: 2, 3: 3, 4: 4}, [1, 4], {"a:b": {1: 1, 2: 2, 3: 3, 4: 4}}),
    "series end in the slots that are made up": (
        "", "", {1: 1, 4: 4}, [1, 4], {"a:b": {1: 1, 2: GONE, 4: 4}}),
    "an offset delays the evaluation": (
        "query_offset: 1m", "", {1: 1, 2: 2}, [2], {"a:b": {1: 1}}),
    "and not the time of the sample": (
        "query_offset: 90s", "", {1: 1, 2: 2}, [2.4, 2.5, 3.5], {"a:b": {1: 1, 2: 2}}),
    "a slot waits for all of its offset": (
        "query_offset: 1m", "", {1: 1}, [1.99], {}),
    "slots of two minutes": (
        "interval: 2m", "", {2: 2, 4: 4}, [2, 3, 4], {"a:b": {2: 2, 4: 4}}),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_recording(name: str, tmp_path: Path) -> None:
    """What the table says is recorded, and nothing else."""
    group, rule, answers, runs, expected = VECTORS[name]
    world = World(tmp_path, ONE.format(group=group, rule=rule), {"a:b": answers})

    world.run(*runs)

    assert world.samples() == expected


# answers at first, runs, answers once late lines are in, range that they are in → samples
LATE: dict[str, tuple[Any, list[float], Any, tuple[float, float], Any]] = {
    "a corrected value replaces the old": (
        {1: 1, 2: 2, 3: 3}, [1, 2, 3], {1: 1, 2: 9, 3: 3}, (1, 1),
        {"a:b": {1: 1, 2: 9, 3: 3}}),
    "a value that appears": (
        {1: 1, 3: 3}, [1, 2, 3], {1: 1, 2: 9, 3: 3}, (1, 1),
        {"a:b": {1: 1, 2: 9, 3: 3}}),
    "a value that vanishes ends there": (
        {1: 1, 2: 2, 3: 3}, [1, 2, 3], {1: 1, 3: 3}, (1, 1),
        {"a:b": {1: 1, 2: GONE, 3: 3}}),
    "a series that appears ends at the next slot": (
        {1: values((A, 1)), 2: values((A, 2)), 3: values((A, 3))}, [1, 2, 3],
        {1: values((A, 1)), 2: values((A, 2), (B, 9)), 3: values((A, 3))}, (1, 1),
        {"a:b{app=a}": {1: 1, 2: 2, 3: 3}, "a:b{app=b}": {2: 9, 3: GONE}}),
    "a slot outside stays, even if it would be different now": (
        {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}, [1, 2, 3, 4, 5],
        {1: 91, 2: 92, 3: 93, 4: 94, 5: 95}, (2, 2),
        {"a:b": {1: 1, 2: 2, 3: 93, 4: 94, 5: 5}}),
    "a failure leaves what is held": (
        {1: 1, 2: 2}, [1, 2], {1: FAIL, 2: FAIL}, (0, 0), {"a:b": {1: 1, 2: 2}}),
    "no slot before the first is made": (
        {3: 3}, [3], {1: 1, 2: 2, 3: 3}, (0, 2), {"a:b": {3: 3}}),
    "no slot after the last": (
        {1: 1}, [1], {1: 1, 2: 2}, (0, 9), {"a:b": {1: 1}}),
}  # fmt: skip


@pytest.mark.parametrize("name", LATE)
def test_late_lines_correct_what_was_recorded(name: str, tmp_path: Path) -> None:
    """Slots that late lines touch are evaluated again, and their samples replaced."""
    first, runs, after, (since, until), expected = LATE[name]
    world = World(tmp_path, ONE.format(group="", rule=""), {"a:b": first})
    world.run(*runs)

    world.script.answers["a:b"] = after
    world.correct(since, until, now=runs[-1])
    world.correct(since, until, now=runs[-1])

    assert world.samples() == expected


def test_what_is_clean_is_not_evaluated_again(tmp_path: Path) -> None:
    """The notes of the indexer are forgotten once all slots are corrected."""
    world = World(tmp_path, ONE.format(group="", rule=""), {"a:b": {1: 1, 2: 2}})
    world.run(1, 2)
    world.correct(0, 0, now=2)
    world.script.asked.clear()

    with world.ruler() as ruler:
        done = ruler.correct(world.rules, minute(3))

    assert (done, world.script.asked) == (0, [])


def test_slots_beyond_the_horizon_stay(tmp_path: Path) -> None:
    """What is older than the horizon is for a backfill."""
    answers = {n: float(n) for n in range(1, 11)}
    text = ONE.format(group="", rule="")
    world = World(tmp_path, text, {"a:b": answers}, rule_horizon_ms=3 * 60_000)
    world.run(*range(1, 11))
    world.script.asked.clear()

    world.correct(0, 9, now=10)

    assert [at for _, at in world.script.asked] == [7, 8, 9, 10]


def test_given_up_slots_are_counted(tmp_path: Path) -> None:
    """Of missed slots the newest are made up, the others counted as missed."""
    answers = {n: float(n) for n in range(1, 11)}
    text = ONE.format(group="", rule="")
    world = World(tmp_path, text, {"a:b": answers}, rule_catch_up=3)

    world.run(1, 10)

    reader = open_reader(world.settings)
    status = reader.groups()["rules.yml;g"]
    reader.close()
    assert world.samples() == {"a:b": {1: 1, 7: 7, 8: 8, 9: 9, 10: 10}}
    assert (status.iterations, status.missed, status.made_up) == (5, 5, 3)


def test_trouble_with_the_store_costs_no_slot(tmp_path: Path) -> None:
    """A slot that could not be read is evaluated later, as if nothing had been."""
    answers = {1: 1, 2: StoreBusy("held"), 3: 3}
    world = World(tmp_path, ONE.format(group="", rule=""), {"a:b": answers})
    world.run(1)
    with pytest.raises(StoreBusy):
        world.run(2)

    answers[2] = 2
    world.run(3)

    assert world.samples() == {"a:b": {1: 1, 2: 2, 3: 3}}


TWO = """
groups:
  - name: g
    rules:
      - record: a:b
        expr: "{} | count_over_time()"
      - record: c:d
        expr: "a:b * 2"
"""


def test_rules_see_what_came_before_them_at_the_same_slot(tmp_path: Path) -> None:
    """A rule reads the results of earlier rules of its group, of this very slot."""

    def double(_at: float, overlay: Overlay) -> list[Value]:
        found = overlay.matching(Recorded("a:b"))
        return [Value(labels, 2 * value) for labels, value in found]

    world = World(tmp_path, TWO, {"a:b": {1: 1, 2: 5}, "c:d": double})

    world.run(1, 2)

    assert world.samples("c:d") == {"c:d": {1: 2, 2: 10}}


def test_a_rule_that_fails_keeps_no_other_from_it(tmp_path: Path) -> None:
    """The rules after one that fails are evaluated; its error is told."""
    world = World(tmp_path, TWO, {"a:b": {1: FAIL}, "c:d": {1: 7}})

    world.run(1)

    reader = open_reader(world.settings)
    errors = {key.split(";")[3]: each.error for key, each in reader.rules().items()}
    reader.close()
    assert world.samples() == {"c:d": {1: 7}}
    assert errors == {"a:b": "too slow", "c:d": ""}


def test_a_reload_keeps_series_of_rules_that_stay(tmp_path: Path) -> None:
    """Series and slots belong to a rule by name and labels, wherever it stands."""
    world = World(tmp_path, TWO, {"a:b": {1: 1, 2: 2}, "c:d": {1: 1, 2: 2}})
    world.run(1)
    text = TWO.replace("a:b * 2", "a:b * 3").replace(
        "    rules:", "    limit: 9\n    rules:"
    )

    world.rules = world.read(text)
    world.run(2)

    assert world.samples() == {"a:b": {1: 1, 2: 2}, "c:d": {1: 1, 2: 2}}


def test_series_of_rules_that_are_gone_end(tmp_path: Path) -> None:
    """A rule that is taken out ends its series where their next sample would be."""
    world = World(tmp_path, TWO, {"a:b": {1: 1, 2: 2}, "c:d": {1: 1, 2: 2}})
    world.run(1)

    world.rules = world.read(ONE.format(group="", rule=""))
    with world.ruler() as ruler:
        ruler._book.end_series([rule.key for rule in world.rules.rules()])
    world.run(2)

    assert world.samples() == {"a:b": {1: 1, 2: 2}, "c:d": {1: 1, 2: GONE}}
