"""Two readings of the same query, and no difference: SessionQL over SQL, and by hand.

``SKALD_PAIRS`` asks for more pairs of a query and a world than run every time.
"""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadRequest
from app.sessionql.evaluate import evaluate, instant
from app.sessionql.language import parse
from app.sessionql.plan import Window
from app.store.seam import Search
from tests.sessionql.queries import Maker, Writer, leaf_refused
from tests.sessionql.reference import NoAnswer, Reference, Told, tell
from tests.sessionql.worlds import HOUR, NOON, World

PAIRS = int(os.environ.get("SKALD_PAIRS", "20800"))
PER_WORLD = 130
PARTS = 8  # tests, so that several processes share the work
NOW = NOON + 2 * HOUR
STEPS = (0, 0, HOUR, 30 * 60_000, 47 * 60_000)
MOST = 10_000
WIDE = 0.4  # of the questions


@pytest.mark.parametrize("part", range(PARTS))
def test_both_readings_agree(part: int, tmp_path: Path) -> None:
    """Any query, about any world, at any time, is answered alike."""
    worlds = max(1, PAIRS // PARTS // PER_WORLD)
    for number in range(worlds):
        seed = part * 1_000_003 + number
        world = World(seed, tmp_path / f"{number}.db")
        told = tell(world.sessions())
        assert len(told) == len(world.names)
        dice = random.Random(seed)
        answered = sum(_compare(world, told, dice, seed) for _ in range(PER_WORLD))
        assert answered > PER_WORLD // 2
        world.reader.close()


def _compare(world: World, told: list[Told], dice: random.Random, seed: int) -> bool:
    """Compare one question; tell whether it had an answer."""
    start = NOON + dice.choice((-2 * HOUR, -HOUR, -HOUR + 1_500, 0))
    end = start + dice.choice((HOUR, 2 * HOUR, 4 * HOUR, 100 * 60_000 + 7))
    steps = STEPS
    if dice.random() < WIDE:  # engines may answer much time in another way
        start, end, steps = NOON - 10 * HOUR, NOON + 10 * HOUR, (0, 0, 5 * HOUR)
    maker, writer = Maker(dice), Writer(dice)
    if dice.random() < 0.25:
        chosen = maker.set(3)
        text = writer.set(chosen)
        reference = Reference(told, start, end, 0, NOW)
        found = _search(world, text, Window(start, end, 0, NOW))
        expected = {
            each.facts["id"]
            for each in told
            if start <= each.facts["start"] < end and reference.has(chosen, each)
        }
        assert found == expected, f"world {seed}: {text}"
        return True
    tree = maker.figures()
    while tree[0] == "leaf" and leaf_refused(tree):
        tree = maker.figures()
    text, step = writer.figures(tree), dice.choice(steps)
    reference = Reference(told, start, end, step, NOW)
    try:
        expected_figures: Any = _rounded(*reference.answer(tree))
    except NoAnswer:
        expected_figures = None
    got = _figures(world, text, Window(start, end, step, NOW), dice)
    assert got == expected_figures, f"world {seed}, {step}: {text}"
    return got is not None


def _search(world: World, text: str, window: Window) -> set[str]:
    selector = parse(text).sessions.selector
    found = world.reader.search(Search(window, selector, limit=100))
    return {each["id"] for each in found.items}


def _figures(world: World, text: str, window: Window, dice: random.Random) -> Any:
    """Return what the language says; None where it refuses to."""
    try:
        query = parse(text)
        if not window.step and window.end == window.now and dice.random() < 0.5:
            span = window.end - window.start
            frame = instant(
                query, window.end, world.reader, default_range_ms=span, max_series=MOST
            )
        else:
            frame = evaluate(query.figures, window, world.reader, max_series=MOST)
    except BadRequest as error:
        return _known(error, text)
    return _rounded(frame.by, {each.labels: each.values for each in frame.series})


def _known(error: BadRequest, text: str) -> None:
    """Accept the refusals that random queries meet, and no other."""
    reasons = ("several series on the", "equal labels", "no event has", "by the minute")
    assert any(reason in str(error) for reason in reasons), text


def _rounded(by: Any, series: Any) -> Any:
    """Make answers comparable: labels by name, figures as precise as sums can be."""
    return {
        tuple(sorted(zip(by, labels, strict=True))): [
            None if value is None else float(f"{value:.9g}") for value in values
        ]
        for labels, values in series.items()
    }
