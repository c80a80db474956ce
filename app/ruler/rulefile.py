"""Read rule files, in Prometheus' format; all problems of all files come at once.

The format is that of model/rulefmt. What Prometheus takes silently and is wrong here:
two recording rules of one name and the same labels, which would overwrite each other.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from app.configuration.units import parse_duration
from app.model import Labels
from app.ruler import templates
from app.ruler.expressions import Refused, check
from app.ruler.model import ALERT, RECORD, Defaults, Group, Rule, RuleSet
from app.ruler.nodes import Nodes, Spot
from app.ruler.problems import Problems, shown
from app.sessionql.language import Query
from app.sessionql.plan import Arithmetic, Plan, Rank, Recorded

FILE = ("groups",)
GROUP = ("name", "interval", "query_offset", "limit", "labels", "rules")
RULE = (
    "record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations",
)  # fmt: skip
_ALERTS_ONLY = ("for", "keep_firing_for", "annotations")
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE = re.compile(r"[0-9]{1,9}")
MIN_INTERVAL = 1_000  # ms
MAX_INTERVAL = 7 * 86_400_000
MAX_RULES = 10_000


def read_rules(
    files: Iterable[tuple[str, Path]],
    defaults: Defaults | None = None,
    known: Collection[str] = (),
) -> RuleSet:
    """Read files.

    Args:
        files: pairs of the name that is shown and the path.
        defaults: what groups do not say.
        known: names of series that other files record.

    Raises:
        RuleFileError: lists every problem of every file.
    """
    problems = Problems()
    groups: list[Group] = []
    for name, path in files:
        groups += _File(name, defaults or Defaults(), problems).groups(path)
    _refuse_twins(groups, problems)
    if not problems.found:  # else the rule that is missed may be one of those
        _refuse_unknown(groups, known, problems)
    problems.stop_if_any()
    return RuleSet(tuple(groups))


def _refuse_twins(groups: list[Group], problems: Problems) -> None:
    seen: dict[tuple[str, str, str, str], str] = {}
    for group in groups:
        for rule in group.rules:
            expr = rule.expr if rule.kind == ALERT else ""
            twin = (rule.kind, rule.name, str(sorted(rule.labels.items())), expr)
            first = seen.setdefault(twin, rule.place)
            if first != rule.place:
                problems.add(
                    rule.place,
                    f"group {group.name!r}, {rule.kind} {rule.name!r}",
                    f"stands at {first} too, with the same labels;"
                    " rename it, or give each a label of its own",
                )


def _refuse_unknown(
    groups: list[Group], known: Collection[str], problems: Problems
) -> None:
    rules = [rule for group in groups for rule in group.rules]
    names = {*known, *(rule.name for rule in rules if rule.kind == RECORD)}
    for rule in rules:
        for name in recorded_in(rule.query.figures):
            if name not in names:
                what = f"expr: no rule records {shown(name)}; {_near(name, names)}"
                problems.add(rule.place, f"{rule.kind} {rule.name!r}", what)


def _near(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "add one that does"


def recorded_in(plan: Plan) -> Iterator[str]:
    """Yield the names of the recorded series that a plan reads."""
    if isinstance(plan, Recorded):
        yield plan.name
    elif isinstance(plan, Rank):
        yield from recorded_in(plan.part)
    elif isinstance(plan, Arithmetic):
        yield from recorded_in(plan.left)
        yield from recorded_in(plan.right)


class _File:
    """Reads one file."""

    def __init__(self, name: str, defaults: Defaults, problems: Problems) -> None:
        self._name = name
        self._defaults = defaults
        self._nodes = Nodes(name, problems)
        self._keys: dict[str, int] = {}

    def groups(self, path: Path) -> list[Group]:
        """Return the groups that can be read."""
        root = self._nodes.root(path)
        if root is None:
            return []
        listed = self._nodes.mapping(root, FILE).get("groups")
        found: dict[str, str] = {}
        groups = []
        for spot in self._nodes.items(listed) if listed else ():
            group = self._group(spot)
            if group is None:
                continue
            if group.name in found:
                what = f"group {group.name!r} stands at {found[group.name]} too"
                self._nodes.refuse(spot, f"{what}; rename one of them")
            found.setdefault(group.name, spot.place)
            groups.append(group)
        return groups

    def _group(self, spot: Spot) -> Group | None:
        parts = self._nodes.mapping(spot, GROUP)
        if not parts:
            return None
        name = parts["name"].text if "name" in parts else ""
        if not name:
            self._nodes.refuse(spot, "a group has no name; write `name: ...`")
            name = "?"
        subject = f"group {name!r}"
        parts = {
            key: Spot(each.node, each.file, subject) for key, each in parts.items()
        }
        interval = self._duration(parts.get("interval"), self._defaults.interval)
        if not MIN_INTERVAL <= interval <= MAX_INTERVAL:
            self._nodes.refuse(
                parts["interval"], "interval: must be between 1s and 7d; change it"
            )
        offset = self._duration(parts.get("query_offset"), self._defaults.offset)
        labels = self._labels(parts.get("labels"))
        listed = self._nodes.items(parts["rules"]) if "rules" in parts else []
        rules = [
            rule
            for number, each in enumerate(listed[:MAX_RULES], 1)
            if (rule := self._rule(each, name, number, labels))
        ]
        limit = self._limit(parts.get("limit"))
        return Group(self._name, name, interval, limit, offset, tuple(rules))

    def _limit(self, spot: Spot | None) -> int:
        if spot is None:
            return 0
        if not _WHOLE.fullmatch(spot.text):
            what = f"limit: {shown(spot.text)} is no whole number; write digits only"
            self._nodes.refuse(spot, what)
            return 0
        return int(spot.text)

    def _duration(self, spot: Spot | None, default: int = 0) -> int:
        if spot is None:
            return default
        if spot.text == "0":
            return 0
        try:
            return parse_duration(spot.text)
        except ValueError as error:
            self._nodes.refuse(spot, f"{shown(spot.text)} {error}")
            return default

    def _rule(self, spot: Spot, group: str, number: int, shared: Labels) -> Rule | None:
        spot = Spot(spot.node, spot.file, f"group {group!r}, rule {number}")
        parts = self._nodes.mapping(spot, RULE)
        if not parts:
            return None
        kinds = [kind for kind in (RECORD, ALERT) if kind in parts]
        if len(kinds) != 1:
            several = "has both record and alert; divide it into two"
            none = "has neither record nor alert; write `record: name` or `alert: name`"
            self._nodes.refuse(spot, several if kinds else none)
            return None
        kind = kinds[0]
        name = parts[kind].text
        subject = f"group {group!r}, {kind} {name!r}"
        parts = {
            key: Spot(each.node, each.file, subject) for key, each in parts.items()
        }
        self._check_name(kind, parts[kind])
        query = self._expression(parts.get("expr"), spot)
        for key in _ALERTS_ONLY if kind == RECORD else ():
            if key in parts:
                what = f"{key}: has no meaning in a recording rule; remove it"
                self._nodes.refuse(parts[key], what)
        labels = {**shared, **self._labels(parts.get("labels"), kind)}
        annotations = self._labels(parts.get("annotations"), kind, "annotation")
        if query is None:
            return None
        return Rule(
            kind=kind,
            name=name,
            expr=parts["expr"].text.strip(),
            query=query,
            labels=labels,
            key=self._key(group, kind, name, labels),
            place=spot.place,
            hold_ms=self._duration(parts.get("for")),
            keep_ms=self._duration(parts.get("keep_firing_for")),
            annotations=annotations,
        )

    def _key(self, group: str, kind: str, name: str, labels: Labels) -> str:
        """Return what a rule is known by over reloads: not its place, nor its text."""
        digest = hashlib.sha256(str(sorted(labels.items())).encode()).hexdigest()[:8]
        key = f"{self._name};{group};{kind};{name};{digest}"
        self._keys[key] = self._keys.get(key, 0) + 1
        return key if self._keys[key] == 1 else f"{key};{self._keys[key]}"

    def _check_name(self, kind: str, spot: Spot) -> None:
        if kind == RECORD and not _METRIC.fullmatch(spot.text):
            what = f"record: {shown(spot.text)} is no metric name"
            if "{" in spot.text:
                what += ": braces belong into expr; write level:metric:operations"
            else:
                what += "; use letters, digits, _ and :, and no digit first"
            self._nodes.refuse(spot, what)
        if kind == ALERT and not spot.text:
            self._nodes.refuse(spot, "alert: has no name; write `alert: Name`")

    def _expression(self, spot: Spot | None, rule: Spot) -> Query | None:
        if spot is None or not spot.text.strip():
            self._nodes.refuse(spot or rule, "has no expr; write `expr: ...`")
            return None
        try:
            return check(spot.text)
        except Refused as error:
            place = spot.at(error.line, error.column)
            self._nodes.refuse_at(place, spot.subject, f"expr: {error}")
            return None

    def _labels(self, spot: Spot | None, kind: str = "", noun: str = "label") -> Labels:
        """Read names and texts; those of alerts are templates."""
        if spot is None:
            return {}
        found = self._nodes.texts(spot)
        for name, value in found.items():
            if not _LABEL.fullmatch(name) or name in {"__name__", "alertname"}:
                what = f"{shown(name)} is no {noun} name; use letters, digits and _"
                self._nodes.refuse(value, what)
            if kind == ALERT:
                self._check_template(value, f"{noun} {name!r}")
        return {name: value.text for name, value in found.items()}

    def _check_template(self, spot: Spot, subject: str) -> None:
        try:
            templates.parse(spot.text)
        except templates.TemplateError as error:
            self._nodes.refuse(spot, f"{subject}: {error}")
