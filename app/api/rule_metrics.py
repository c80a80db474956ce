"""Measure the rules under Prometheus' own names, and show what they recorded last."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from app.ruler.describe import groups_of
from app.store.recorded import RELOAD, RULES
from app.store.rule_seam import GroupStatus, RuleReader, RuleStatus

_OF_GROUPS = (
    ("iterations_total", "Slots that fell due."),
    ("iterations_missed_total", "Slots given up."),
    ("last_duration_seconds", "How long the last slot took."),
    ("last_evaluation_timestamp_seconds", "When the last slot was evaluated."),
    ("last_evaluation_samples", "Samples of the last slot."),
    ("interval_seconds", "Time between two slots."),
    ("rules", "Rules in it."),
)
_OF_SLOTS = (
    ("made_up_total", "Slots evaluated after their time."),
    ("corrected_total", "Slots evaluated again, since lines came late."),
    ("last_slot_timestamp_seconds", "The last slot that was evaluated."),
    ("last_lateness_seconds", "How long after its time the last slot was evaluated."),
)


def rule_metrics(index: RuleReader) -> Iterator[Metric]:
    """Yield what there is to say of rules."""
    groups = groups_of(index.mark(RULES).text)
    reload = index.mark(RELOAD)
    if not groups and not reload.value and not reload.text:
        return
    statuses, rules = index.groups(), index.rules()
    families = _families()
    for group in groups:
        _add(families, group, statuses.get(group["key"]))
    yield from families.values()
    yield from _evaluations(groups, rules)
    yield GaugeMetricFamily(
        "skald_rules_last_reload_successful",
        "1 when the rule files as they are now are in force.",
        value=0 if reload.text else 1,
    )


def _families() -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for prefix, listed in (
        ("prometheus_rule_group_", _OF_GROUPS),
        ("skald_rule_group_", _OF_SLOTS),
    ):
        for name, text in listed:
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            found[name] = kind(prefix + name, text, labels=["rule_group"])
    return found


def _add(
    families: dict[str, Metric], group: dict[str, Any], status: GroupStatus | None
) -> None:
    values = {
        "interval_seconds": group["interval"] / 1000,
        "rules": len(group["rules"]),
    }
    if status:
        lateness = status.evaluated - status.slot - group["offset"]
        values |= {
            "iterations_total": status.iterations + status.missed,
            "iterations_missed_total": status.missed,
            "last_duration_seconds": status.took_ms / 1000,
            "last_evaluation_timestamp_seconds": status.evaluated / 1000,
            "last_evaluation_samples": status.samples,
            "made_up_total": status.made_up,
            "corrected_total": status.corrected,
            "last_slot_timestamp_seconds": status.slot / 1000,
            "last_lateness_seconds": max(0, lateness) / 1000,
        }
    for name, value in values.items():
        families[name].add_metric([group["key"]], value)  # type: ignore[attr-defined]


def _evaluations(
    groups: list[dict[str, Any]], statuses: dict[str, RuleStatus]
) -> Iterator[Metric]:
    label = ["rule_group"]
    total = CounterMetricFamily(
        "prometheus_rule_evaluations_total", "Rules evaluated.", labels=label
    )
    failures = CounterMetricFamily(
        "prometheus_rule_evaluation_failures_total", "Those that failed.", labels=label
    )
    for group in groups:
        known = [statuses[r["key"]] for r in group["rules"] if r["key"] in statuses]
        total.add_metric([group["key"]], sum(each.evaluations for each in known))
        failures.add_metric([group["key"]], sum(each.failures for each in known))
    yield from (total, failures)
