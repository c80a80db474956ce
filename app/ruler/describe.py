"""Write down which rules are in force, for every process that shows them."""

from typing import Any

import orjson

from app.ruler.model import Group, Rule, RuleSet


def describe(rules: RuleSet) -> str:
    """Return the rules as JSON; ``groups_of`` reads it."""
    return orjson.dumps([_group(each) for each in rules.groups]).decode()


def groups_of(text: str) -> list[dict[str, Any]]:
    """Return the groups that ``describe`` wrote down; none when nothing was."""
    found: list[dict[str, Any]] = orjson.loads(text) if text else []
    return found


def _group(group: Group) -> dict[str, Any]:
    return {
        "key": group.key,
        "file": group.file,
        "name": group.name,
        "interval": group.interval,
        "limit": group.limit,
        "offset": group.offset,
        "rules": [_rule(each) for each in group.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "key": rule.key,
        "kind": rule.kind,
        "name": rule.name,
        "expr": rule.expr,
        "labels": rule.labels,
        "hold": rule.hold_ms,
        "keep": rule.keep_ms,
        "annotations": dict(rule.annotations),
    }
