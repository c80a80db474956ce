"""Run tests of rules: let a small world happen, evaluate, compare."""

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import SkaldError
from app.model import Labels
from app.ruler.expressions import IndexEvaluator, check, label_name
from app.ruler.files import named_files
from app.ruler.model import Defaults, RuleSet
from app.ruler.order import in_order, needed
from app.ruler.rulefile import read_rules
from app.ruler.ruler import Ruler
from app.ruler.slots import floor_slot
from app.ruler.trial.inputs import batches_of
from app.ruler.trial.model import (
    ExpectedAlerts,
    ExpectedSamples,
    Input,
    Trial,
    TrialFile,
    Verdict,
)
from app.sessionql.evaluate import instant
from app.settings import Settings
from app.store import open_reader, open_rulebook, open_writer
from app.store.rule_seam import FIRING, Rulebook
from app.store.seam import Progress, Reader, Writer

TOLERANCE = 1e-9  # of its value, that a sample may be off
MAX_SERIES = 10_000
_LABEL = re.compile(r'([A-Za-z_]\w*)\s*=\s*"((?:\\.|[^"\\])*)"')


def run_trials(trials: TrialFile, folder: Path, settings: Settings) -> list[Verdict]:
    """Run the tests of a file, each in a world of its own.

    Args:
        trials: what to run.
        folder: that the rule files are relative to.
        settings: bounds, and what counts as a bounce.

    Raises:
        RuleFileError: the rule files cannot be used.
    """
    files = named_files(str(folder / each) for each in trials.rule_files)
    rules = read_rules(files, Defaults(trials.interval, 0))
    groups = tuple(replace(group, offset=0) for group in in_order(rules.groups))
    return [
        _run(trial, RuleSet(tuple(needed(groups, _asked(trial)))), settings)
        for trial in trials.trials
    ]


def _asked(trial: Trial) -> list[str]:
    return [*(each.expr for each in trial.samples), *(e.name for e in trial.alerts)]


def _run(trial: Trial, rules: RuleSet, settings: Settings) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="skald-test-") as folder:
        own = replace(
            settings, index=Path(folder) / "skald.db", alertmanagers=(), rule_catch_up=0
        )
        world = _World(own, open_writer(own), open_rulebook(own), list(trial.inputs))
        try:
            return Verdict(trial, tuple(_failures(trial, rules, world)))
        finally:
            world.writer.close()
            world.book.close()


@dataclass(slots=True)
class _World:
    """An index in which a test happens."""

    settings: Settings
    writer: Writer
    book: Rulebook
    waiting: list[Input]

    def reach(self, until: int) -> None:
        """Index what is known before *until*."""
        known = [each for each in self.waiting if each.known < until]
        if known:
            self.waiting = self.waiting[len(known) :]
            for source, batch in batches_of(known):
                self.writer.ingest(source, batch, Progress(0))

    def reader(self) -> Reader:
        """Open the index."""
        return open_reader(self.settings)


def _failures(trial: Trial, rules: RuleSet, world: _World) -> Iterable[str]:
    ruler = Ruler(
        world.settings, world.book, open_reader, make_evaluator=IndexEvaluator
    )
    looks = [*(s.at for s in trial.samples), *(a.at for a in trial.alerts)]
    last = max(looks, default=0)
    steps = sorted(
        {
            at
            for group in rules.groups
            for at in range(
                floor_slot(trial.start, group.interval),
                trial.start + last + 1,
                group.interval,
            )
        }
        | {trial.start + each for each in looks}
    )
    for at in steps:
        world.reach(at)
        for group in rules.groups:
            if at % group.interval == 0:
                ruler.run(group, at)
        for samples in trial.samples:
            if trial.start + samples.at == at:
                yield from _compare_samples(samples, at, world)
        for alerts in trial.alerts:
            if trial.start + alerts.at == at:
                yield from _compare_alerts(alerts, rules, world)


def _compare_samples(
    expected: ExpectedSamples, at: int, world: _World
) -> Iterable[str]:
    try:
        found = ask(expected.expr, at, world)
    except (SkaldError, ValueError) as error:
        yield f"{expected.place}: {expected.expr}: {error}"
        return
    wanted = {_spelled(series): value for series, value in expected.samples.items()}
    lines = list(_differences(wanted, found))
    if lines:
        text = "\n      ".join(lines)
        yield f"{expected.place}: {expected.expr} at {expected.at // 1000}s\n      {text}"


def ask(expr: str, at: int, world: _World) -> dict[str, float]:
    """Return what an expression comes to: series → value."""
    reader = world.reader()
    try:
        frame = instant(
            check(expr),
            at,
            reader,
            default_range_ms=60_000,
            max_series=MAX_SERIES,
            recorded=reader.recorded_cells,
        )
    finally:
        reader.close()
    names = [label_name(each) for each in frame.by]
    return {
        spell(dict(zip(names, series.labels, strict=True))): series.values[-1]
        for series in frame.series
        if series.values[-1] is not None
    }


def _differences(wanted: dict[str, float], found: dict[str, float]) -> Iterable[str]:
    for series in sorted(wanted.keys() | found.keys()):
        want, got = wanted.get(series), found.get(series)
        if want is None:
            yield f"+ {series} {got:g}"
        elif got is None:
            yield f"- {series} {want:g}"
        elif abs(want - got) > TOLERANCE * max(1.0, abs(want)):
            yield f"- {series} {want:.12g}"
            yield f"+ {series} {got:.12g}"


def _compare_alerts(
    expected: ExpectedAlerts, rules: RuleSet, world: _World
) -> Iterable[str]:
    keys = {rule.key for rule in rules.rules() if rule.name == expected.name}
    if not keys:
        yield f"{expected.place}: no alert {expected.name!r} in the rule files"
        return
    found = {
        _alert(each.labels, each.annotations)
        for key, alerts in world.book.alerts().items()
        for each in alerts
        if key in keys and each.state == FIRING
    }
    wanted = {
        _alert({**labels, "alertname": expected.name}, annotations)
        for labels, annotations in expected.alerts
    }
    lines = [*(f"- {e}" for e in sorted(wanted - found))]
    lines += [f"+ {each}" for each in sorted(found - wanted)]
    if lines:
        text = "\n      ".join(lines)
        at = expected.at // 1000
        yield f"{expected.place}: alert {expected.name} at {at}s\n      {text}"


def _alert(labels: Labels, annotations: Labels) -> str:
    return f"{spell(labels)} {spell(annotations)}"


def spell(labels: Labels) -> str:
    """Write labels as Prometheus does, empty ones left out."""
    said = [f'{name}="{text}"' for name, text in sorted(labels.items()) if text]
    return "{" + ", ".join(said) + "}"


def _spelled(series: str) -> str:
    """Write a series of a test alike: its name is what was asked for."""
    found = _LABEL.finditer(series)
    return spell({each[1]: re.sub(r"\\(.)", r"\1", each[2]) for each in found})
