"""Shape rules and alerts as Prometheus' API does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.store.rule_seam import (
    FIRING,
    INACTIVE,
    PENDING,
    AlertState,
    GroupStatus,
    RuleReader,
    RuleStatus,
)

_STATES = (INACTIVE, PENDING, FIRING)  # the worst last
Described = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; empty = everything."""

    kind: str = ""
    rules: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    with_alerts: bool = True


def shown_groups(
    described: list[Described], index: RuleReader, filters: Filters
) -> list[dict[str, Any]]:
    """Return the groups that *filters* let pass, with those of their rules that do."""
    groups, rules, alerts = index.groups(), index.rules(), index.alerts()
    shown = []
    for group in described:
        if filters.files and group["file"] not in filters.files:
            continue
        if filters.groups and group["name"] not in filters.groups:
            continue
        chosen = [each for each in group["rules"] if _passes(each, filters)]
        if not chosen and (filters.kind or filters.rules):
            continue
        body = _group(group, groups.get(group["key"]))
        body["rules"] = [_rule(each, rules, alerts, filters) for each in chosen]
        shown.append(body)
    return shown


def _passes(rule: Described, filters: Filters) -> bool:
    if filters.kind and rule["kind"] != filters.kind:
        return False
    return not filters.rules or rule["name"] in filters.rules


def _group(group: Described, status: GroupStatus | None) -> dict[str, Any]:
    return {
        "name": group["name"],
        "file": group["file"],
        "interval": group["interval"] / 1000,
        "limit": group["limit"],
        "queryOffset": group["offset"] / 1000,
        "evaluationTime": status.took_ms / 1000 if status else 0,
        "lastEvaluation": instant(status.evaluated if status else 0),
    }


def _rule(
    rule: Described,
    statuses: Mapping[str, RuleStatus],
    alerts: Mapping[str, list[AlertState]],
    filters: Filters,
) -> dict[str, Any]:
    status = statuses.get(rule["key"])
    shown = {
        "name": rule["name"],
        "query": rule["expr"],
        "labels": rule["labels"],
        "health": "unknown" if status is None else "err" if status.error else "ok",
        "evaluationTime": status.took_ms / 1000 if status else 0,
        "lastEvaluation": instant(status.evaluated if status else 0),
    }
    if status and status.error:
        shown["lastError"] = status.error
    if rule["kind"] == "record":
        return shown | {"type": "recording"}
    active = [each for each in alerts.get(rule["key"], []) if each.state != INACTIVE]
    states = [INACTIVE, *(each.state for each in active)]
    return shown | {
        "type": "alerting",
        "state": max(states, key=_STATES.index) if status else "unknown",
        "duration": rule["hold"] / 1000,
        "keepFiringFor": rule["keep"] / 1000,
        "annotations": rule["annotations"],
        "alerts": [_alert(each) for each in active] if filters.with_alerts else [],
    }


def shown_alerts(index: RuleReader) -> list[dict[str, Any]]:
    """Return all alerts that are pending or firing."""
    return [
        _alert(each)
        for alerts in index.alerts().values()
        for each in alerts
        if each.state != INACTIVE
    ]


def _alert(alert: AlertState) -> dict[str, Any]:
    shown = {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": alert.state,
        "activeAt": instant(alert.active_at),
        "value": go_float(alert.value),
    }
    if alert.keep_since:
        shown["keepFiringSince"] = instant(alert.keep_since)
    return shown


def instant(at: int) -> str:
    """Write an instant as Go does; never is the year 1."""
    if not at:
        return "0001-01-01T00:00:00Z"
    when = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{when}.{at % 1000:03d}Z"


def go_float(value: float) -> str:
    """Write a number as Go's ``%e`` with as many digits as it takes."""
    text = f"{value:.16e}" if value != float(f"{value:.15e}") else f"{value:.15e}"
    digits, _, exponent = text.partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{exponent}" if exponent else text
