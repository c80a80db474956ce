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
from app.sessions.timeline import Moment, Timeline

LIFECYCLE, LOAD, VITAL = int(Kind.LIFECYCLE), int(Kind.LOAD), int(Kind.VITAL)

_ROTATION_MS = 1_000  # start and extend of one rotation are that close
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
    visits = _walk(timeline, contexts, _pair_loads(timeline))
    visits = _add_unseen(timeline, contexts, visits)
    if (
        len(visits) > 1
        and not visits[0].is_load
        and visits[1].at - visits[0].at < _RESET_MS
    ):
        del visits[0]
    _give_vitals(timeline, contexts, visits)
    return list(_finish(visits))


def _place(context: Context) -> str:
    return context.page or context.view


Loads = dict[int, tuple[int, str]]  # key of event → (start of a load, its document)


def _pair_loads(timeline: Timeline) -> Loads:
    """Find the events that stand for a load, one for each load.

    A load causes one start or resume, later than its own back-dated time. A start or
    resume beside an extend is the session's own rotation: no document was loaded.
    """
    loads: Loads = {}
    waiting: list[Moment] = []
    seen: set[str] = set()
    begins = timeline.of(LIFECYCLE)
    rotated = [at for at, event in begins if event.name == "extend"]
    for at, event in sorted([*timeline.of(LOAD), *begins], key=_when):
        if event.kind == LOAD:
            nav = _nav(event)
            if not nav or nav not in seen:
                seen.add(nav)
                waiting.append((at, event))
        elif event.name != "extend":
            paired = _take(waiting, event)
            if paired:
                loads[event.key] = paired[0], _nav(paired[1])
            elif not any(abs(at - when) <= _ROTATION_MS for when in rotated):
                loads[event.key] = at, ""
    for at, event in waiting:
        loads[event.key] = at, _nav(event)
    return loads


def _when(moment: Moment) -> tuple[int, int, int]:
    return moment[0], moment[1].received, moment[1].key


def _nav(event: Event) -> str:
    """Return the SDK's id of the document; "" when there is none."""
    facts = event.facts
    return facts.get("nav", "") if facts else ""


def _take(waiting: list[Moment], event: Event) -> Moment | None:
    """Take the newest load that waits for its start or resume, of the same page."""
    for index in range(len(waiting) - 1, -1, -1):
        if waiting[index][1].context == event.context:
            return waiting.pop(index)
    return waiting.pop() if waiting else None


def _walk(
    timeline: Timeline, contexts: Mapping[int, Context], loads: Loads
) -> list[_Visit]:
    visits: list[_Visit] = []
    current, context, place = "", -1, ""
    for at, event in timeline.strong:
        if event.context != context:
            context = event.context
            place = _place(contexts[context])
        load = loads.get(event.key)
        if load is not None:
            visits.append(_Visit(load[0], place, is_load=True, nav=load[1]))
            current = place
        elif place and place != current and _tells_place(event):
            visits.append(_Visit(at, place, is_load=False))
            current = place
    return visits


def _tells_place(event: Event) -> bool:
    if event.kind == LOAD:
        return False
    return not (event.facts and "trigger" in event.facts)  # a back-dated user action


def _add_unseen(
    timeline: Timeline, contexts: Mapping[int, Context], visits: list[_Visit]
) -> list[_Visit]:
    seen = {visit.page for visit in visits}
    added: list[_Visit] = []
    for context, at in timeline.contexts.items():
        place = _place(contexts[context])
        if place and place not in seen:
            seen.add(place)
            added.append(_Visit(at, place, is_load=False))
    return sorted([*visits, *added], key=lambda visit: visit.at) if added else visits


def _give_vitals(
    timeline: Timeline, contexts: Mapping[int, Context], visits: list[_Visit]
) -> None:
    """Give each vital to the load of its document, or to the visit of its page.

    Reported again (``reportAllChanges``, back-forward cache), the last one counts.
    """
    vitals = timeline.of(VITAL)
    if not visits or not vitals:
        return
    by_nav = {visit.nav: visit for visit in visits if visit.nav}
    by_page: dict[str, _Visit] = {}
    for visit in visits:
        by_page.setdefault(visit.page, visit)
    for _, event in vitals:
        if event.value is not None:
            nav = _nav(event)
            if nav in _NO_NAV:
                owner = by_page.get(_place(contexts[event.context]))
            else:
                owner = by_nav.get(nav)
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
