"""List journeys, funnels, cohorts and Skald's own state for the JSON data source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.api.asking import Scope, tell_sample
from app.api.cohorts import COMPARE_WORDS, RETENTION_WORDS, USUAL, find_returns
from app.api.comparing import NoCohorts, compare_cohorts, name_row, read_cohorts
from app.api.flows import lay_flow
from app.api.journeys import (
    FUNNEL_WORDS,
    funnel_rows,
    list_steps,
    read_funnel,
    tell_dropped,
)
from app.api.parameters import decode_list, text_of
from app.api.payloads import Payload, read_count
from app.api.questions import Asked, Problems, nearest, read_metrics, single
from app.api.status import PARTS
from app.errors import UnknownName
from app.sessionql.plan import Filter, Window
from app.settings import Settings
from app.store.insight_seam import FlowAnswer, FlowQuestion
from app.store.seam import Reader

Row = dict[str, Any]

LISTED, MOST = 200, 1_000
_LISTS = frozenset({"metric", "step", "steps"})  # words that name several


@dataclass(frozen=True, slots=True)
class Wish:
    """What a target that names a list asks for.

    Attributes:
        payload: of the target.
        window: of the panel.
        selector: of the payload and the ad hoc filters.
        index: who answers.
        settings: its bounds.
        flows: already counted for this panel: its nodes and edges are one question.
    """

    payload: Payload
    window: Window
    selector: Filter
    index: Reader
    settings: Settings
    flows: dict[FlowQuestion, FlowAnswer] = field(default_factory=dict)

    def limit(self) -> int:
        """Return how many rows are wanted."""
        return min(read_count(single(self.payload.asked, "limit"), LISTED), MOST)

    def words(self, names: frozenset[str]) -> Asked:
        """Return the parameters of those names as an endpoint would have read them."""
        return {
            name: _values(given) if name in _LISTS else _values(given[-1:])[:1]
            for name, given in self.payload.asked.items()
            if name in names
        }


def _values(given: Sequence[Any]) -> list[str]:
    """Take values out of what the builder wrapped them in; several in one text stay."""
    found: list[str] = []
    for each in given:
        text = text_of(each)
        values = decode_list(text) or ()
        found += [text] if len(values) > 1 else values
    return [each for each in found if each]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows, and what to know of them.

    Attributes:
        types: of columns whose names are not ours to choose.
    """

    rows: Sequence[Row]
    notices: Sequence[str] = ()
    types: Mapping[str, str] = field(default_factory=dict)


def one(payload: Payload, name: str) -> str:
    """Return the one value of a parameter, however the builder wrote it."""
    found = decode_list(single(payload.asked, name))
    return found[0] if found else ""


def list_flow(layout: str) -> Callable[[Wish], Listing]:
    """Return what lays transitions out: flow, nodes, edges or matrix."""

    def listed(wish: Wish) -> Listing:
        top = min(read_count(single(wish.payload.asked, "top"), 20), 200)
        question = FlowQuestion(
            wish.window,
            wish.selector,
            one(wish.payload, "after"),
            one(wish.payload, "before"),
            top=top,
        )
        found = wish.flows.get(question) or wish.index.flow(question)
        wish.flows[question] = found
        laid, told = lay_flow(found, layout, MOST if layout != "flow" else wish.limit())
        notices = tell_sample(wish.index, question, found.sample) + told
        rows = laid if isinstance(laid, list) else []
        is_matrix = layout == "matrix" and rows
        types = {name: "number" for name in rows[0] if name != "page"} if is_matrix else {}  # fmt: skip
        return Listing(rows, notices, types)

    return listed


def list_funnel(wish: Wish) -> Listing:
    """List a row a step."""
    asked = wish.words(FUNNEL_WORDS - {"format"})
    question = read_funnel(asked, wish.window.now, lists=False)
    question = replace(question, window=wish.window, selector=wish.selector)
    found = wish.index.funnel(question)
    rows = funnel_rows(question, found, list_steps(asked))
    return Listing(rows, tell_sample(wish.index, question, found.sample))


def list_dropped(wish: Wish) -> Listing:
    """List sessions that came to one step, and not to the next."""
    asked = wish.words(FUNNEL_WORDS - {"format", "by", "limit"})
    asked = dict(asked) | {"limit": [wish.limit()]}
    for name in ("dropped", "groups", "sample"):
        if name in asked:
            asked[name] = [read_count(asked[name][0], 1)]
    question = read_funnel(asked, wish.window.now, lists=True)
    question = replace(question, window=wish.window, selector=wish.selector)
    found = wish.index.funnel(question)
    notices = tell_sample(wish.index, question, found.sample)
    notices += tell_dropped(question, found)
    return Listing(found.dropped, notices)


def list_comparison(wish: Wish) -> Listing:
    """List figures of two cohorts beside each other."""
    asked, problems = wish.words(COMPARE_WORDS - {"format"}), Problems()
    metrics = read_metrics(asked if asked.get("metric") else {"metric": USUAL}, problems)  # fmt: skip
    problems.tell()
    scope = Scope(wish.window, wish.selector)
    try:
        cohorts, notices = read_cohorts(asked, scope, wish.index)
    except NoCohorts as problem:
        return Listing([], [str(problem)])
    rows, told = compare_cohorts(metrics, cohorts, wish.index, wish.settings)
    named = name_row(single(asked, "between"), rows)
    return Listing(named + rows, [*notices, *told])


def list_retention(wish: Wish) -> Listing:
    """List which users came back, by cohort."""
    asked = wish.words(RETENTION_WORDS - {"format"})
    found = find_returns(asked, Scope(wish.window, wish.selector), wish.index)
    return Listing(found.rows, found.notices)


def list_status(wish: Wish) -> Listing:
    """List how one part of Skald itself fares."""
    part = one(wish.payload, "part") or "index"
    if part not in PARTS:
        raise UnknownName(f"no status of {part[:60]!r}{nearest(part, frozenset(PARTS))}")  # fmt: skip
    return Listing(PARTS[part](wish.index, wish.window.now))
