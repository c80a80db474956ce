"""Evaluate a group at a slot: rule after rule, each may ask for what came before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Protocol

from app.errors import SkaldError, StoreError
from app.model import Labels
from app.ruler.alerts import Key, RuleFailed, advance, key_of, samples_of
from app.ruler.model import ALERT, Group, Rule, Value
from app.sessionql.plan import Recorded
from app.store.recorded import holds
from app.store.rule_seam import AlertState, RuleOutcome

Sample = tuple[str, Labels, float]
Clock = Callable[[], float]  # seconds, only differences count


class Evaluator(Protocol):
    """Who answers the expressions of rules."""

    def ask(self, rule: Rule, at: int, overlay: "Overlay") -> list[Value]:
        """Return what the rule's expression comes to at *at*."""


@dataclass(slots=True)
class Overlay:
    """What the rules of a group came to so far at a slot, not committed yet."""

    samples: list[Sample] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)  # keys of those that went well

    def matching(self, plan: Recorded) -> list[tuple[Labels, float]]:
        """Return what is new of the series that *plan* names."""
        return [
            (labels, value)
            for each, labels, value in self.samples
            if each == plan.name
            and all(holds(matcher, labels) for matcher in plan.matchers)
        ]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of a group.

    Attributes:
        group: what to evaluate.
        at: the slot, ms.
        alerts: held until now, by rule; None: alerts stay as they are.
        url: of Skald, for templates.
    """

    group: Group
    at: int
    alerts: Mapping[str, Sequence[AlertState]] | None
    url: str = ""


def evaluate_group(
    evaluation: Evaluation, evaluator: Evaluator, monotonic: Clock
) -> list[RuleOutcome]:
    """Evaluate the rules in their order; one that fails does not keep others from it."""
    overlay = Overlay()
    outcomes = []
    for rule in evaluation.group.rules:
        if rule.kind == ALERT and evaluation.alerts is None:
            continue
        began = monotonic()
        samples: list[Sample] = []
        alerts: list[AlertState] | None = None
        error = ""
        try:
            values = evaluator.ask(rule, evaluation.at, overlay)
            if rule.kind == ALERT:
                alerts = _alerts(rule, values, evaluation)
                samples = samples_of(rule, alerts)
            else:
                samples = label(rule, values, evaluation.group.limit)
        except StoreError:
            raise  # nothing can be said of the slot: it is evaluated again
        except SkaldError as failure:
            error = str(failure)
            if isinstance(failure, _OverLimit):
                alerts = []  # as Prometheus: all alerts of the rule are dropped
        if not error:
            overlay.samples += samples
            overlay.rules.add(rule.key)
        took = (monotonic() - began) * 1000
        outcomes.append(RuleOutcome(rule.key, error, took, samples, alerts))
    return outcomes


class _OverLimit(RuleFailed):
    """More alerts than the group's limit."""


def _alerts(
    rule: Rule, values: Sequence[Value], evaluation: Evaluation
) -> list[AlertState]:
    held = (evaluation.alerts or {}).get(rule.key, ())
    group = evaluation.group
    found = advance(
        rule, held, values, evaluation.at + group.offset, url=evaluation.url
    )
    active = sum(each.state != "inactive" for each in found)
    if group.limit and active > group.limit:
        raise _OverLimit(f"exceeded limit of {group.limit} with {active} alerts")
    return found


def label(rule: Rule, values: Iterable[Value], limit: int) -> list[Sample]:
    """Name the results of a recording rule, and add its labels, which override.

    Raises:
        RuleFailed: two come to the same labels, or there are more than *limit*.
    """
    found: dict[Key, Sample] = {}
    for each in values:
        if isnan(each.value):
            continue
        labels = {**each.labels, **rule.labels}
        labels = {name: text for name, text in labels.items() if text}
        key = key_of(labels)
        if key in found:
            raise RuleFailed(
                "two results have the same labels after the rule's own are added;"
                " keep a label that tells them apart"
            )
        found[key] = (rule.name, labels, each.value)
    if limit and len(found) > limit:
        raise RuleFailed(f"exceeded limit of {limit} with {len(found)} series")
    return list(found.values())
