"""Find which pages, views or components a session visited, and in what order.

Faro sends no page views. It sends loads (``faro.performance.navigation``, back-dated
to when the navigation began, and missing when the visitor left early), the life of the
session (start and resume: one a load), changes of view, and on every line the URL of
the moment at which the line was made. Lines that are back-dated (requests, actions) or
belong to another moment (vitals, sent when a page is hidden) may carry a URL that is
too new or too old, so they tell of a page only when nothing better does.
"""

from collections.abc import Iterator, Mapping

from app.model import Context, Event, Kind, View
from app.sessions.clocks import Timed

LIFECYCLE, LOAD, VITAL = int(Kind.LIFECYCLE), int(Kind.LOAD), int(Kind.VITAL)
_WEAK = frozenset({VITAL, int(Kind.RESOURCE), int(Kind.SPAN)})

_RESET_MS = 100  # a page left so soon after the session was reset was not visited in it


_NO_NAV = frozenset({"", "unknown"})  # of older SDKs, and of a tab's first load


class _Visit:
    """A view being found: where, since when, and which document it belongs to."""

    __slots__ = ("at", "is_load", "nav", "page", "vitals")

    def __init__(self, at: int, page: str, *, is_load: bool, nav: str = "") -> None:
        self.at = at
        self.page = page
        self.is_load = is_load
        self.nav = nav  # the SDK's id of the document
        self.vitals: dict[str, float] = {}


def find_views(timed: Timed, contexts: Mapping[int, Context]) -> list[View]:
    """List the views of a session in order.

    1. Pair loads with the start or resume that each of them causes.
    2. Walk all lines that tell where the visitor was: a load is a view, a change of
       page without a load is one too.
    3. Add pages that only weaker lines tell of.
    4. Give each web vital to the view of its document.

    Args:
        timed: (corrected time, key, event), ascending.
        contexts: by key; ``page`` is compared, or ``view`` where there is no page.
    """
    loads = _pair_loads(timed)
    visits = _walk(timed, contexts, loads)
    visits = _add_unseen(timed, contexts, visits)
    if (
        len(visits) > 1
        and not visits[0].is_load
        and visits[1].at - visits[0].at < _RESET_MS
    ):
        del visits[0]
    _give_vitals(timed, contexts, visits)
    return list(_finish(visits))


def _place(context: Context) -> str:
    return context.page or context.view


def _pair_loads(timed: Timed) -> dict[int, tuple[int, str]]:
    """Return key of event → (start of the load, its document) for each event that loads.

    A load causes one start or resume, later than its own back-dated time. A start or
    resume beside an extend is the session's own rotation: no document was loaded.
    """
    loads: dict[int, tuple[int, str]] = {}
    waiting: list[tuple[int, int, Event]] = []
    seen: set[str] = set()
    rotated = [
        at
        for at, _, event in timed
        if event.kind == LIFECYCLE and event.name == "extend"
    ]
    for at, key, event in timed:
        if event.kind == LOAD:
            nav = (event.facts or {}).get("nav", "")
            if not nav or nav not in seen:
                seen.add(nav)
                waiting.append((at, key, event))
        elif event.kind == LIFECYCLE and event.name != "extend":
            paired = _take(waiting, event)
            if paired:
                loads[key] = paired[0], (paired[2].facts or {}).get("nav", "")
            elif not any(abs(at - when) <= 1000 for when in rotated):  # noqa: PLR2004
                loads[key] = at, ""
    for at, key, event in waiting:
        loads[key] = at, (event.facts or {}).get("nav", "")
    return loads


def _take(
    waiting: list[tuple[int, int, Event]], event: Event
) -> tuple[int, int, Event] | None:
    """Take the newest load that waits for its start or resume, of the same page."""
    for index in range(len(waiting) - 1, -1, -1):
        if waiting[index][2].context == event.context:
            return waiting.pop(index)
    return waiting.pop() if waiting else None


def _walk(
    timed: Timed, contexts: Mapping[int, Context], loads: Mapping[int, tuple[int, str]]
) -> list[_Visit]:
    visits: list[_Visit] = []
    current = ""
    for at, key, event in timed:
        load = loads.get(key)
        place = _place(contexts[event.context])
        if load is not None:
            visits.append(_Visit(load[0], place, is_load=True, nav=load[1]))
            current = place
        elif place and place != current and _tells_place(event):
            visits.append(_Visit(at, place, is_load=False))
            current = place
    return visits


def _tells_place(event: Event) -> bool:
    if event.kind in _WEAK or event.kind == LOAD:
        return False
    return not (event.facts and "trigger" in event.facts)  # a back-dated user action


def _add_unseen(
    timed: Timed, contexts: Mapping[int, Context], visits: list[_Visit]
) -> list[_Visit]:
    seen = {visit.page for visit in visits}
    added: list[_Visit] = []
    for at, _, event in timed:
        place = _place(contexts[event.context])
        if place and place not in seen:
            seen.add(place)
            added.append(_Visit(at, place, is_load=False))
    return sorted([*visits, *added], key=lambda visit: visit.at) if added else visits


def _give_vitals(
    timed: Timed, contexts: Mapping[int, Context], visits: list[_Visit]
) -> None:
    """Give each vital to the load of its document, or to the visit of its page.

    Reported again (``reportAllChanges``, back-forward cache), the last one counts.
    """
    if not visits:
        return
    by_nav = {visit.nav: visit for visit in visits if visit.nav}
    by_page: dict[str, _Visit] = {}
    for visit in visits:
        by_page.setdefault(visit.page, visit)
    for _, _, event in timed:
        if event.kind == VITAL and event.value is not None:
            nav = (event.facts or {}).get("nav", "")
            place = _place(contexts[event.context])
            owner = by_page.get(place) if nav in _NO_NAV else by_nav.get(nav)
            if owner is not None:
                owner.vitals[event.name] = event.value


def _finish(visits: list[_Visit]) -> Iterator[View]:
    for index, visit in enumerate(visits):
        following = visits[index + 1].at if index + 1 < len(visits) else None
        vitals = visit.vitals
        yield View(
            visit.at,
            visit.page,
            visit.is_load,
            None if following is None else max(0, following - visit.at),
            vitals.get("lcp"),
            vitals.get("inp"),
            vitals.get("cls"),
            vitals.get("ttfb"),
            vitals.get("fcp"),
        )
