"""Who reads whose series: the order of groups, and how far back they look."""

import re
from collections.abc import Iterable

from app.ruler.model import RECORD, Group, Rule

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def reads(rule: Rule, names: Iterable[str]) -> set[str]:
    """Return which of the recorded *names* the rule's expression speaks of."""
    return set(_NAME.findall(rule.expr)).intersection(names)


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Sort groups so that those that are read come first; circles keep their order."""
    waiting = list(groups)
    makers = _makers(waiting)
    needs = {
        group.key: {
            makers[name]
            for rule in group.rules
            for name in reads(rule, makers)
            if makers[name] != group.key
        }
        for group in waiting
    }
    done: list[Group] = []
    ready: set[str] = set()
    while waiting:
        free = [each for each in waiting if needs[each.key] <= ready]
        chosen = free or waiting[:1]
        done += chosen
        ready |= {each.key for each in chosen}
        waiting = [each for each in waiting if each.key not in ready]
    return done


def reach_of(groups: Iterable[Group]) -> dict[str, int]:
    """Return how far back (ms) each group looks, over what it reads, by key."""
    ordered = in_order(groups)
    makers = _makers(ordered)
    reach: dict[str, int] = {}
    for group in ordered:
        own: dict[str, int] = {}
        for rule in group.rules:
            below = [
                own.get(name, reach.get(makers[name], 0))
                for name in reads(rule, makers)
            ]
            looks = (rule.query.range_ms or group.interval) + max(below, default=0)
            own[rule.name] = max(own.get(rule.name, 0), looks)
        reach[group.key] = max(own.values(), default=0)
    return reach


def needed(groups: Iterable[Group], texts: Iterable[str]) -> list[Group]:
    """Return the groups that record or alert what *texts* name, and all they read."""
    listed = list(groups)
    wanted = {name for text in texts for name in _NAME.findall(text)}
    chosen: list[Group] = []
    while True:
        found = [
            group
            for group in listed
            if any(rule.name in wanted for rule in group.rules)
        ]
        if len(found) == len(chosen):
            return found
        chosen = found
        wanted |= {
            name
            for group in found
            for rule in group.rules
            for name in _NAME.findall(rule.expr)
        }


def _makers(groups: Iterable[Group]) -> dict[str, str]:
    """Return by which group each series is recorded."""
    return {
        rule.name: group.key
        for group in groups
        for rule in group.rules
        if rule.kind == RECORD
    }
