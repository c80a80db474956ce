"""Find which pages, views or components a session visited, and in what order.

Faro sends no page views. It sends loads (``faro.performance.navigation``, back-dated
to when the navigation began, and missing when the visitor left early), the life of the
session (start and resume: one a load), changes of view, and on every line the URL of
the moment at which the line was made. Lines that are back-dated (requests, actions) or
belong to another moment (vitals, sent when a page is hidden) may carry a URL that is
too new or too old, so they tell of a page only when nothing better does.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from app.model import Context, Kind, View
from app.sessions.timeline import Seen, Timeline

_LOAD: Final = int(Kind.LOAD)
_VITAL: Final = int(Kind.VITAL)

_ROTATION_MS = 1_000  # start and extend of one rotation are that close
_RESET_MS = 100  # a page left so soon after the session was reset was not visited in it


_NO_NAV = frozenset({"", "unknown"})  # of older SDKs, and of a tab's first load


class _Visit:
    """A view being found: where, since when, and which document it belongs to."""

    __slots__ = ("at", "is_load", "nav", "page", "vitals")

    def __init__(self, at: int, page: str, is_load: bool, nav: str) -> None:  # noqa: FBT001
        self.at = at
        self.page = page
        self.is_load = is_load
        self.nav = nav  # the SDK's id of the document
        self.vitals: dict[str, float] = {}


def find_views(timeline: Timeline, contexts: Mapping[int, Context]) -> list[View]:
    """List the views of a session in order.

    1. Pair loads with the start or resume that each of them causes.
    2. Walk all lines that tell where the visitor was: a load is a view, a change of
       page without a load is one too.
    3. Add pages that only weaker lines tell of.
    4. Give each web vital to the view of its document.

    Args:
        timeline: of the session.
        contexts: by key; ``page`` is compared, or ``view`` where there is no page.
    """
    places: Places = {}
    for key in timeline.contexts:
        context = contexts[key]
        places[key] = context.page or context.view
    visits = _walk(timeline, places, _pair_loads(timeline.begins))
    visits = _add_unseen(timeline, places, visits)
    if (
        len(visits) > 1
        and not visits[0].is_load
        and visits[1].at - visits[0].at < _RESET_MS
    ):
        del visits[0]
    vitals = timeline.of(_VITAL)
    if visits and vitals:
        _give_vitals(vitals, places, visits)
    return _finish(visits)


Places = dict[int, str]  # key of context → page or view
Loads = dict[int, tuple[int, str]]  # key of event → (start of a load, its document)


def _pair_loads(begins: list[Seen]) -> Loads:
    """Find the events that stand for a load, one for each load.

    A load causes one start or resume, later than its own back-dated time. A start or
    resume beside an extend is the session's own rotation: no document was loaded.
    """
    loads: Loads = {}
    waiting: list[Seen] = []
    seen: set[str] = set()
    for each in begins:
        if each[3] == _LOAD:
            nav = _nav(each)
            if not nav or nav not in seen:
                seen.add(nav)
                waiting.append(each)
        elif each[6] != "extend":
            paired = _take(waiting, each[4]) if waiting else None
            if paired is not None:
                loads[each[2]] = paired[0], _nav(paired)
            elif not _is_rotated(begins, each[0]):
                loads[each[2]] = each[0], ""
    for each in waiting:
        loads[each[2]] = each[0], _nav(each)
    return loads


def _is_rotated(begins: list[Seen], at: int) -> bool:
    """Tell whether the session was extended at about that time."""
    for each in begins:
        if (
            each[3] != _LOAD
            and each[6] == "extend"
            and abs(at - each[0]) <= _ROTATION_MS
        ):
            return True
    return False


def _nav(seen: Seen) -> str:
    """Return the SDK's id of the document; "" when there is none."""
    facts: dict[str, Any] | None = seen[8]
    return facts.get("nav", "") if facts else ""


def _take(waiting: list[Seen], context: int) -> Seen:
    """Take the newest load that waits for its start or resume, of the same context."""
    for index in range(len(waiting) - 1, -1, -1):
        if waiting[index][4] == context:
            return waiting.pop(index)
    return waiting.pop()


def _walk(timeline: Timeline, places: Places, loads: Loads) -> list[_Visit]:
    visits: list[_Visit] = []
    current, context, place = "", -1, ""
    for each in timeline.strong:
        if each[4] != context:
            context = each[4]
            place = places[context]
        load = loads.get(each[2])
        if load is not None:
            visits.append(_Visit(load[0], place, True, load[1]))  # noqa: FBT003
            current = place
        elif place != current and place and _tells_place(each):
            visits.append(_Visit(each[0], place, False, ""))  # noqa: FBT003
            current = place
    return visits


def _tells_place(seen: Seen) -> bool:
    if seen[3] == _LOAD:
        return False
    facts: dict[str, Any] | None = seen[8]
    return not (facts and "trigger" in facts)  # a back-dated user action


def _add_unseen(
    timeline: Timeline, places: Places, visits: list[_Visit]
) -> list[_Visit]:
    known = {visit.page for visit in visits}
    added: list[_Visit] = []
    for context, at in timeline.contexts.items():
        place = places[context]
        if place and place not in known:
            known.add(place)
            added.append(_Visit(at, place, False, ""))  # noqa: FBT003
    return sorted([*visits, *added], key=attrgetter("at")) if added else visits


def _give_vitals(vitals: list[Seen], places: Places, visits: list[_Visit]) -> None:
    """Give each vital to the load of its document, or to the visit of its page.

    Reported again (``reportAllChanges``, back-forward cache), the last one counts.
    """
    by_nav: dict[str, _Visit] = {}
    by_page: dict[str, _Visit] = {}
    for visit in visits:
        if visit.nav:
            by_nav[visit.nav] = visit
        by_page.setdefault(visit.page, visit)
    last, is_old = "", True
    owner: _Visit | None = None
    for each in vitals:
        if each[7] is None:
            continue
        nav = _nav(each)
        if is_old or nav != last:
            last = nav
            is_old = nav in _NO_NAV
            owner = by_page.get(places[each[4]]) if is_old else by_nav.get(nav)
        if owner is not None:
            owner.vitals[each[6]] = each[7]


def _finish(visits: list[_Visit]) -> list[View]:
    views: list[View] = []
    last = len(visits) - 1
    for index, visit in enumerate(visits):
        dwell = max(0, visits[index + 1].at - visit.at) if index < last else None
        get = visit.vitals.get
        views.append(
            View(
                visit.at,
                visit.page,
                visit.is_load,
                dwell,
                get("lcp"),
                get("inp"),
                get("cls"),
                get("ttfb"),
                get("fcp"),
            )
        )
    return views
