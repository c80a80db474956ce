"""What SessionQL means, said a second time: slowly, plainly, over sessions in a list.

Takes the trees of ``queries.py``, and shares no code with the language or any engine:
it is written from docs/sessionql.md alone.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import Any

from app.model import Session

MINUTE = 60_000
TIMEOUT = 15 * MINUTE  # of the source
KINDS = ("view", "action", "error")
HAVE = {  # field → kinds of events that have it
    "page": KINDS,
    **dict.fromkeys(("dwell", "lcp", "inp", "cls", "ttfb", "fcp"), ("view",)),
    "action": ("action",),
    **dict.fromkeys(("error", "message", "fingerprint"), ("error",)),
}
LISTS = {"views": "view", "actions": "action", "errors": "error"}
ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge}
UNSURE = {"bounced", "returning"}

Tree = Any  # a tuple: what it is, then its parts
Event = dict[str, Any]
Labels = tuple[str, ...]
Row = list[float | None]
Answer = tuple[Labels, dict[Labels, Row]]  # names of labels, series


class NoAnswer(Exception):
    """The query has no answer: series meet series that they must not."""


@dataclass(frozen=True)
class Told:
    """One session as a query sees it."""

    facts: dict[str, Any]
    events: dict[str, list[Event]]
    attributes: dict[str, str]
    users: set[str]
    minutes: tuple[int, ...]


def tell(sessions: Iterable[Session]) -> list[Told]:
    """Tell of each session what can be asked."""
    sessions = list(sessions)
    begun: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in sessions:
        begun[each.key.app, _user(each)[0]].append(each.start)
    return [_tell(each, begun[each.key.app, _user(each)[0]]) for each in sessions]


def _user(session: Session) -> tuple[str, str]:
    c = session.context
    return (
        c.user_id or c.user_email or c.user_name,
        c.user_email or c.user_name or c.user_id,
    )


def _tell(session: Session, begun: list[int]) -> Told:
    c = session.context
    user, shown = _user(session)
    facts = {
        "id": session.key.id, "source": session.key.source, "app": session.key.app,
        "environment": c.environment, "version": c.version, "browser": c.browser,
        "browser_version": c.browser_version, "os": c.os, "device": c.device,
        "country": c.country, "language": c.language, "referrer": c.referrer,
        "previous": c.previous, "entry": session.entry, "exit": session.exit,
        "status": session.status.name.lower(), "user": user, "user_name": shown,
        "start": session.start, "end": session.end,
        "duration": session.end - session.start, "views": session.view_count,
        "actions": session.action_count, "errors": session.errors,
        "log_errors": session.log_errors, "resources": session.resources,
        "failed_requests": session.failed_requests, "events": session.events,
        "bounced": session.view_count == 1 if session.view_count else None,
        "returning": min(begun) < session.start if user else None,
    }  # fmt: skip
    views = [
        {name: getattr(v, name) for name in ("at", *HAVE) if hasattr(v, name)}
        for v in session.views
    ]
    actions = [{"at": a.at, "action": a.name, "page": a.page} for a in session.actions]
    errors = [
        {"at": e.at, "error": e.type, "message": e.message, "page": e.page,
         "fingerprint": e.fingerprint}
        for e in session.error_list
    ]  # fmt: skip
    events = {"view": views, "action": actions, "error": errors}
    for listed in events.values():
        for number, event in enumerate(listed):
            event["n"] = number
    attributes = {name: value for name, value in session.attributes if value}
    users = {user, shown, *session.users} - {""}
    return Told(facts, events, attributes, users, session.minutes)


class Reference:
    """Answers queries about a list of sessions."""

    def __init__(self, sessions: list[Told], start: int, end: int, step: int, now: int):
        self.sessions = sessions
        self.start, self.end, self.step, self.now = start, end, step, now

    # -- conditions ----------------------------------------------------------------

    def holds(  # noqa: PLR0911  # a line for each thing that a condition can be
        self, cond: Tree, told: Told, event: Event | None
    ) -> bool:
        """Tell whether a condition holds for a session, and for an event of it."""
        what, *parts = cond
        if what == "and":
            return all(self.holds(each, told, event) for each in parts)
        if what == "or":
            return any(self.holds(each, told, event) for each in parts)
        if what == "not":
            return not self.holds(parts[0], told, event)
        if what == "text":
            return _mentions(told, parts[0])
        name, op, value = parts
        if name in HAVE:
            assert event is not None
            return _compare(event[name], op, value)
        if name == "user":
            return _compare_any(told.users or {""}, op, value)
        if "." in name:
            return _compare_attribute(told.attributes.get(name, ""), op, value)
        return _compare(self.fact(told, name), op, value)

    def fact(self, told: Told, name: str) -> Any:
        """Return what a field of a session says."""
        if name == "active":
            return told.facts["end"] > self.now - TIMEOUT
        return told.facts[name]

    # -- sets ----------------------------------------------------------------------

    def has(self, chosen: Tree, told: Told) -> bool:
        """Tell whether a session is in a set."""
        what, *parts = chosen
        if what == "and":
            return all(self.has(each, told) for each in parts)
        if what == "or":
            return any(self.has(each, told) for each in parts)
        if what == "not":
            return not self.has(parts[0], told)
        if what == "sequence":
            return bool(self._sequence(chosen, told))
        return self._meets(parts[0], told)

    def _meets(self, cond: Tree, told: Told) -> bool:
        """Tell whether a session meets what stands in one pair of braces."""
        if cond is None:
            return True
        if cond[0] == "or":
            return any(self._meets(each, told) for each in cond[1:])
        alone, about = _parted(cond)
        if not all(self.holds(each, told, None) for each in alone):
            return False
        if len(about) == 1 and about[0][0] == "or":
            return self._meets(about[0], told)
        if not about:
            return True
        events = told.events[_kind_of(about)]
        return any(all(self.holds(c, told, e) for c in about) for e in events)

    def events(self, chosen: Tree, told: Told, kind: str) -> list[Event]:
        """List the events of a kind that a set selects in a session that it has."""
        found = self._selected(chosen, told, kind)
        return told.events[kind] if found is None else found

    def _selected(self, chosen: Tree, told: Told, kind: str) -> list[Event] | None:
        what, *parts = chosen
        if what == "sequence":
            is_its = sequence_kind(chosen) == kind
            return self._sequence(chosen, told) if is_its else None
        if what in {"and", "or"}:
            found = [self._selected(each, told, kind) for each in parts]
            return _united(what, found)
        return self._in_braces(parts[0], told, kind) if what == "braces" else None

    def _in_braces(self, cond: Tree, told: Told, kind: str) -> list[Event] | None:
        if cond is None:
            return None
        if cond[0] == "or":
            return _united("or", [self._in_braces(e, told, kind) for e in cond[1:]])
        _, about = _parted(cond)
        if len(about) == 1 and about[0][0] == "or":
            return self._in_braces(about[0], told, kind)
        if not about or _kind_of(about) != kind:
            return None
        return [
            event
            for event in told.events[kind]
            if all(self.holds(each, told, event) for each in about)
        ]

    def _sequence(self, chosen: Tree, told: Told) -> list[Event]:
        _, op, left, right = chosen
        first, second = sequence_kinds(chosen)
        lefts = self.events(left, told, first) if self.has(left, told) else []
        rights = self.events(right, told, second) if self.has(right, told) else []

        def later(one: Event, other: Event) -> bool:
            by = "n" if first == second else "at"
            return other[by] > one[by]

        def following(one: Event) -> Event | None:
            return next((e for e in told.events[second] if later(one, e)), None)

        if op == ">>":
            return [r for r in rights if any(later(each, r) for each in lefts)]
        if op == "!>>":
            return [each for each in lefts if not any(later(each, r) for r in rights)]
        if op == ">":
            nexts = [following(each) for each in lefts]
            return [r for r in rights if any(r is each for each in nexts)]
        return [each for each in lefts if not any(following(each) is r for r in rights)]

    # -- figures -------------------------------------------------------------------

    def spans(self, back: int) -> list[tuple[int, int]]:
        """List the time that each value is about."""
        if not self.step:
            return [(self.end - back if back else self.start, self.end)]
        first = self.start // self.step * self.step
        spans = []
        for bucket in range(first, self.end, self.step):
            end = min(bucket + self.step, self.end)
            spans.append((end - back if back else max(bucket, self.start), end))
        return spans

    def answer(self, figures: Tree) -> Answer:
        """Answer figures."""
        what, *parts = figures
        if what == "number":
            return (), {(): [parts[0]] * len(self.spans(0))}
        if what == "minus":
            by, series = self.answer(parts[0])
            return by, {
                k: [None if v is None else -v for v in row] for k, row in series.items()
            }
        if what == "rank":
            return self._rank(*parts)
        if what == "operation":
            return self._operate(*parts)
        return self._leaf(*parts)

    def _leaf(
        self, chosen: Tree, name: str, given: tuple[Any, ...], by: Labels, back: int
    ) -> Answer:
        spans = self.spans(back)
        names, series = by, {}
        empty = 0.0 if name in COUNTING else None
        if name == "histogram":
            names = (*by, "le")
        if name == "quantile" and len(given) > 2:
            names = (*by, "quantile")
        if not by and name in COUNTING:
            parts = [*given[1:], math.inf] if name == "histogram" else [None]
            labels = [(_bound(each),) if name == "histogram" else () for each in parts]
            series = {each: [empty] * len(spans) for each in labels}
        for place, span in enumerate(spans):
            groups: dict[Labels, list[Any]] = defaultdict(list)
            for told in self.sessions:
                for labels, value in self._rows(told, chosen, name, given, by, span):
                    groups[labels].append(value)
            for labels, values in groups.items():
                for more, figure in _figures(name, given, values, span):
                    row = series.setdefault((*labels, *more), [empty] * len(spans))
                    row[place] = empty if figure is None else figure
        return names, series

    def _rows(
        self,
        told: Told,
        chosen: Tree,
        name: str,
        given: tuple[Any, ...],
        by: Labels,
        span: tuple[int, int],
    ) -> Iterable[tuple[Labels, Any]]:
        """Yield what a session gives to a figure, with its labels."""
        if not self._is_in(told, name, span) or not self.has(chosen, told):
            return
        field = given[0] if given and isinstance(given[0], str) else ""
        kind = leaf_kind(name, field, by)
        events: list[Event | None] = (
            list(self.events(chosen, told, kind)) if kind else [None]
        )
        is_of_events = bool(kind) and (
            field in HAVE or (name == "sum" and LISTS.get(field) == kind)
        )
        rows = [(self._labels(told, event, by), event) for event in events]
        if not is_of_events:
            rows = [(labels, None) for labels in dict.fromkeys(k for k, _ in rows)]
        for labels, event in rows:
            if name == "share":
                value: Any = self._met(told, given[0])
            elif event is not None:
                value = 1 if field in LISTS else event[field]
            elif not field:
                value = 1
            elif "." in field:
                value = told.attributes.get(field, "")
            else:
                value = self.fact(told, field)
            yield labels, value

    def _is_in(self, told: Told, name: str, span: tuple[int, int]) -> bool:
        start, end = span
        if name != "active":
            return start <= told.facts["start"] < end
        if not (told.facts["start"] < end and told.facts["end"] >= start):
            return False
        begin = start // MINUTE * MINUTE  # activity is known by the minute
        return any(begin <= minute * MINUTE < end for minute in told.minutes)

    def _labels(self, told: Told, event: Event | None, by: Labels) -> Labels:
        values = []
        for name in by:
            if name in HAVE:
                assert event is not None
                values.append(event[name])
            elif "." in name:
                values.append(told.attributes.get(name, ""))
            else:
                values.append(told.facts[name])
        return tuple(values)

    def _met(self, told: Told, asked: Tree) -> bool | None:
        is_set = asked[0] == "set"
        unsure = _unsure(asked[1])
        if any(told.facts[name] is None for name in unsure):
            return None
        if is_set:
            return self.has(asked[1], told)
        return self._meets(asked[1], told)

    # -- many series ---------------------------------------------------------------

    def _rank(self, figures: Tree, count: int, is_top: bool) -> Answer:  # noqa: FBT001
        by, series = self.answer(figures)
        totals = [
            (math.fsum(v for v in row if v is not None), labels)
            for labels, row in series.items()
            if any(v is not None for v in row)
        ]
        totals.sort(key=lambda each: (-each[0] if is_top else each[0], each[1]))
        return by, {labels: series[labels] for _, labels in totals[:count]}

    def _operate(
        self,
        op: str,
        left: Tree,
        right: Tree,
        matching: Tree,
        is_bool: bool,  # noqa: FBT001
    ) -> Answer:
        lby, lefts = self.answer(left)
        rby, rights = self.answer(right)
        is_filter = op in COMPARE and not is_bool

        def compute(a: float | None, b: float | None) -> float | None:
            if a is None or b is None:
                return None
            if is_filter:
                kept = b if left[0] == "number" else a
                return kept if COMPARE[op](a, b) else None
            return float(COMPARE[op](a, b)) if is_bool else _calculate(op, a, b)

        def rows(a: Row, b: Row) -> Row:
            return [compute(x, y) for x, y in zip(a, b, strict=True)]

        if right[0] == "number":
            by, found = lby, {k: rows(v, rights[()]) for k, v in lefts.items()}
        elif left[0] == "number":
            by, found = rby, {k: rows(lefts[()], v) for k, v in rights.items()}
        else:
            by, pairs = _pairs(matching, (lby, lefts), (rby, rights))
            found = {labels: rows(a, b) for labels, (a, b) in pairs.items()}
        if is_filter:
            found = {k: v for k, v in found.items() if any(x is not None for x in v)}
        return by, found


COUNTING = {"count", "rate", "active", "distinct", "sum", "histogram"}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip


def _calculate(op: str, a: float, b: float) -> float | None:
    try:
        if op in "+-*":
            value = {"+": add, "-": sub, "*": mul}[op](a, b)
        elif op == "/":
            value = a / b
        elif op == "%":
            value = math.fmod(a, b)
        else:
            value = math.pow(a, b)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _pairs(  # noqa: C901  # as one reads it in PromQL
    matching: Tree, left: Answer, right: Answer
) -> tuple[Labels, dict[Labels, tuple[Row, Row]]]:
    """Pair series as PromQL does.

    Raises:
        NoAnswer: the labels differ, or several meet several.
    """
    how, names, many = matching or ("", (), "")
    lby, rby = left[0], right[0]
    if how == "on":
        wanted = set(names)
        if wanted - set(lby) or wanted - set(rby):
            raise NoAnswer
    else:
        wanted = set(lby) - set(names)
        if wanted != set(rby) - set(names):
            raise NoAnswer
    key = tuple(sorted(wanted))
    if not left[1] or not right[1]:  # nothing meets nothing
        return {"": key, "left": lby, "right": rby}[many], {}

    def keyed(answer: Answer) -> dict[Labels, list[Labels]]:
        found = defaultdict(list)
        for labels in answer[1]:
            known = dict(zip(answer[0], labels, strict=True))
            found[tuple(known[name] for name in key)].append(labels)
        return found

    lefts, rights = keyed(left), keyed(right)
    one = lefts if many == "right" else rights
    if any(len(each) > 1 for each in one.values()):
        raise NoAnswer
    pairs: dict[Labels, tuple[Row, Row]] = {}
    for values in lefts.keys() & rights.keys():
        both = [(a, b) for a in lefts[values] for b in rights[values]]
        if len(both) > 1 and not many:
            raise NoAnswer
        for a, b in both:
            shown = {"": values, "left": a, "right": b}[many]
            pairs[shown] = left[1][a], right[1][b]
    return {"": key, "left": lby, "right": rby}[many], pairs


def _figures(  # noqa: PLR0911  # a line for each function
    name: str, given: tuple[Any, ...], values: list[Any], span: tuple[int, int]
) -> list[tuple[Labels, float | None]]:
    """Make the figure of a group, or the figures that have a label more."""
    said = [float(v) for v in values if v is not None and not isinstance(v, str)]
    if name in {"count", "active"}:
        return [((), len(values))]
    if name == "rate":
        return [((), len(values) * 1000 / (span[1] - span[0]))]
    if name == "distinct":
        return [((), len({v for v in values if v not in {"", None}}))]
    if name == "histogram":
        bounds = [*given[1:], math.inf]
        return [((_bound(b),), sum(v <= b for v in said)) for b in bounds]
    if name == "quantile":
        points = given[1:]
        found = [_quantile(sorted(said), q) for q in points]
        labels = [(_bound(q),) for q in points] if len(points) > 1 else [()]
        return list(zip(labels, found, strict=True))
    if not said:
        return [((), None)]
    total = math.fsum(said)
    figure = {"sum": total, "avg": total / len(said), "share": total / len(said),
              "min": min(said), "max": max(said)}[name]  # fmt: skip
    return [((), figure)]


def _quantile(values: list[float], q: float) -> float | None:
    if not values:
        return None
    where = q * (len(values) - 1)
    for low, (one, other) in enumerate(pairwise(values)):
        if low <= where <= low + 1:
            return one + (other - one) * (where - low)
    return values[0]


def _bound(value: float) -> str:
    if value == math.inf:
        return "+Inf"
    return str(int(value)) if value == int(value) else str(value)


# -- comparisons -------------------------------------------------------------------------


def _compare(value: Any, op: str, asked: Any) -> bool:
    if asked is None or isinstance(value, str):
        text = value or "" if isinstance(value, str) or value is None else value
        wanted = "" if asked is None else asked
        if not isinstance(value, str):  # a number or a boolean, and nil
            return (value is None) == (op == "=")
        return _compare_text(text, op, wanted)
    if value is None:
        return False
    if op in ORDER:
        return bool(ORDER[op](value, asked))
    return (value == asked) == (op == "=")


def _compare_text(text: str, op: str, asked: str) -> bool:
    if op in {"=~", "!~"}:
        return (re.fullmatch(asked, text) is not None) == (op == "=~")
    return (text == asked) == (op == "=")


def _compare_any(texts: set[str], op: str, asked: str | None) -> bool:
    positive = {"!=": "=", "!~": "=~"}.get(op, op)
    found = any(_compare_text(text, positive, asked or "") for text in texts)
    return found == (op == positive)


def _compare_attribute(text: str, op: str, asked: Any) -> bool:
    if asked is None or isinstance(asked, str):
        return _compare_text(text, op, asked or "")
    positive = "=" if op == "!=" else op
    found = bool(
        re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII)
    ) and _compare(float(text), positive, asked)
    return found == (op == positive)


def _mentions(told: Told, text: str) -> bool:
    events = told.events
    said = [
        told.facts["user"], told.facts["user_name"], *told.users,
        *told.attributes.values(), *(each["page"] for each in events["view"]),
        *(each["action"] for each in events["action"]),
        *(each[key] for each in events["error"] for key in ("error", "message")),
    ]  # fmt: skip
    if not text or told.facts["id"] == text:
        return True
    return any(_small(text) in _small(each) for each in said if each)


def _small(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


# -- what trees are about ----------------------------------------------------------------


def fields_in(cond: Tree) -> list[str]:
    """List the fields that a condition or a set compares."""
    if cond is None or cond[0] == "text":
        return []
    if cond[0] == "compare":
        return [cond[1]]
    return [
        name for part in cond[1:] if isinstance(part, tuple) for name in fields_in(part)
    ]


def _unsure(tree: Tree) -> set[str]:
    """Name the fields that may not be known, unless that is what is asked."""
    if tree is None or tree[0] == "text":
        return set()
    if tree[0] == "compare":
        return {tree[1]} & UNSURE if tree[3] is not None else set()
    return set().union(*(_unsure(part) for part in tree[1:] if isinstance(part, tuple)))


def _parted(cond: Tree) -> tuple[list[Tree], list[Tree]]:
    """Part what is joined by && into what is about the session, and about an event."""
    parts = _flat(cond)
    alone = [each for each in parts if not set(fields_in(each)) & set(HAVE)]
    return alone, [each for each in parts if set(fields_in(each)) & set(HAVE)]


def _flat(cond: Tree) -> list[Tree]:
    if cond[0] != "and":
        return [cond]
    return [each for part in cond[1:] for each in _flat(part)]


def _kind_of(conds: list[Tree]) -> str:
    names = {name for cond in conds for name in fields_in(cond)}
    return next(kind for kind in KINDS if all(kind in HAVE[name] for name in names))


def leaf_kind(name: str, field: str, by: Labels) -> str:
    """Return which events a figure is about."""
    wanted = [HAVE[each] for each in (*by, field) if each in HAVE]
    if not wanted:
        return ""
    possible = [kind for kind in KINDS if all(kind in each for each in wanted)]
    counted = LISTS.get(field) if name == "sum" else None
    return counted if counted in possible else possible[0]


def kinds_selected(chosen: Tree) -> set[str]:
    """Return the kinds of events of which a set selects some."""
    what, *parts = chosen
    if what == "sequence":
        return {sequence_kind(chosen)}
    if what in {"and", "or"}:
        return _kinds_united(what, [kinds_selected(each) for each in parts])
    return _kinds_in_braces(parts[0]) if what == "braces" else set()


def _kinds_in_braces(cond: Tree) -> set[str]:
    if cond is None:
        return set()
    if cond[0] == "or":
        return _kinds_united("or", [_kinds_in_braces(each) for each in cond[1:]])
    _, about = _parted(cond)
    if len(about) == 1 and about[0][0] == "or":
        return _kinds_in_braces(about[0])
    return {_kind_of(about)} if about else set()


def _kinds_united(what: str, kinds: list[set[str]]) -> set[str]:
    return set.union(*kinds) if what == "and" else set.intersection(*kinds)


def _united(what: str, found: list[list[Event] | None]) -> list[Event] | None:
    lists = [each for each in found if each is not None]
    if not lists or (what == "or" and len(lists) < len(found)):
        return None
    by_number = {event["n"]: event for each in lists for event in each}
    return [by_number[number] for number in sorted(by_number)]


def sequence_kinds(chosen: Tree) -> tuple[str, str]:
    """Return the kinds of events to the left and right."""
    left, right = kinds_selected(chosen[2]), kinds_selected(chosen[3])
    first, second = next(iter(left), ""), next(iter(right), "")
    return first or second or "view", second or first or "view"


def sequence_kind(chosen: Tree) -> str:
    """Return the kind of the events that a sequence selects."""
    return sequence_kinds(chosen)[0 if chosen[1].startswith("!") else 1]
