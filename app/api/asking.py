"""Read what all resources beside figures have in common: a range, filters, a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from flask import Response

from app.api.encoding import answer
from app.api.questions import (
    DEFAULT_RANGE,
    WORDS,
    Asked,
    Problems,
    nearest,
    read_range,
    read_selector,
    single,
    whole,
)
from app.api.service import reader
from app.errors import BadRequest, UnknownName
from app.sessionql.plan import Filter, Leaf, Window
from app.store.insight_seam import Ranked, Ranking
from app.store.seam import Reader

Row = dict[str, Any]

SESSIONS, USERS = Leaf("count"), Leaf("distinct", "user")


class Sessions(Protocol):
    """A question about sessions."""

    @property
    def window(self) -> Window:
        """Return in which they began."""

    @property
    def selector(self) -> Filter:
        """Return what they meet."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which sessions are asked about."""

    window: Window
    selector: Filter


def read_scope(
    asked: Asked, at: int, words: Iterable[str], default: int = DEFAULT_RANGE
) -> Scope:
    """Read the range and the filters.

    Args:
        asked: parameters by name.
        at: the time of asking, ms.
        words: names of parameters that are no filters.
        default: ms asked about when nothing is said.

    Raises:
        BadRequest: lists everything that cannot be meant.
    """
    problems = Problems()
    selector = read_selector(asked, at, frozenset(words) | WORDS, problems)
    window = Window(0, 1, 0, at)
    with problems.noted():
        window = Window(*read_range(asked, at, default), 0, at)
    problems.tell()
    return Scope(window, selector)


def read_choice(
    asked: Asked, name: str, choices: Sequence[str], default: str = ""
) -> str:
    """Read a parameter that has few values; the first of them when it is not set.

    Raises:
        BadRequest: it is none of these.
    """
    text = single(asked, name) or default or choices[0]
    if text not in choices:
        known = ", ".join(choices)
        hint = nearest(text, frozenset(choices))
        raise BadRequest(f"no {name} {text[:60]!r}: give {known}{hint}")
    return text


def read_flag(asked: Asked, name: str) -> bool:
    """Read a parameter that is true or false; false when it is not set.

    Raises:
        BadRequest: it is neither.
    """
    text = single(asked, name).lower()
    if text in {"", "false", "no", "0"}:
        return False
    if text in {"true", "yes", "1"}:
        return True
    raise BadRequest(f"{name} is true or false, not {text[:60]!r}")


def read_ranking(
    asked: Asked, scope: Scope, sort: str, sortable: Sequence[str]
) -> Ranking:
    """Read order, limit, cursor and ``min_sessions``.

    Args:
        asked: parameters by name.
        scope: of the question.
        sort: with its sign, when nothing is said.
        sortable: names to sort by.

    Raises:
        UnknownName: nothing of that name can be sorted by.
        BadRequest: an order that is none.
    """
    text = single(asked, "sort") or sort
    name, descending = text.removeprefix("-"), text.startswith("-")
    if name not in sortable:
        raise UnknownName(
            f"cannot sort by {name[:60]!r}{nearest(name, frozenset(sortable))}"
        )
    order = single(asked, "order")
    if order:
        descending = read_choice(asked, "order", ("asc", "desc")) == "desc"
    return Ranking(
        scope.window,
        scope.selector,
        name,
        descending,
        whole(asked, "limit", 50),
        single(asked, "cursor"),
        whole(asked, "min_sessions", 1),
        whole(asked, "sample", 0),
    )


def lay_ranked(found: Ranked, asked: Ranking, layout: str) -> Response:
    """Answer one page of a list, or its rows alone."""
    notices = tell_sample(reader(), asked, found.sample)
    if layout == "page":
        return answer(
            {
                "items": found.items,
                "next_cursor": found.next_cursor,
                "total": found.total,
                "notices": notices,
            }
        )
    if found.next_cursor:
        notices.append(f"showing {len(found.items)} of {found.total}")
    return lay_rows(found.items, notices)


def tell_sample(
    index: Reader, asked: Sessions, sample: int = 1, *, figure: Leaf = SESSIONS
) -> list[str]:
    """Say that not all sessions were looked at, or kept, when that is so.

    Args:
        index: who answered.
        asked: about which sessions.
        sample: every so many-th of them was looked at.
        figure: what is weighted as the answer is.
    """
    notices = []
    if sample > 1:
        notices.append(f"estimated from one session in {sample}; sample=1 looks at all")
    figure = replace(figure, selector=asked.selector)
    return notices + index.tell_sampled(figure, asked.window)


def lay_rows(rows: Sequence[Mapping[str, Any]], notices: Sequence[str]) -> Response:
    """Answer flat rows, and say in a header what they have no place for."""
    return noted(answer(rows), notices)


def noted(response: Response, notices: Sequence[str]) -> Response:
    """Say in a header what to know of an answer."""
    if notices:
        text = "; ".join(dict.fromkeys(notices))
        response.headers["Skald-Notice"] = text.encode("ascii", "replace").decode()
    return response
