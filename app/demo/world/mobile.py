"""How visitors use the mobile app: one load, then screens by route changes."""

from app.demo.world import apps
from app.demo.world.apps import Page
from app.demo.world.browsing import Visit
from app.demo.world.dice import Choice, Dice
from app.demo.world.landing import EXIT, MOST_PAGES, go_wrong, land

_SCREENS: dict[str, Choice[str]] = {
    "/feed": Choice([(35, EXIT), (40, "/tea/:id"), (15, "/timer"), (10, "/profile")]),
    "/tea/:id": Choice([(28, EXIT), (42, "/timer"), (30, "/feed")]),
    "/timer": Choice([(55, EXIT), (25, "/feed"), (20, "/tea/:id")]),
    "/profile": Choice([(45, EXIT), (55, "/feed")]),
}


def use_app(visit: Visit) -> None:
    """Mobile app: one load, then screens by route changes."""
    dice, tab = visit.dice, visit.tab
    route = "/feed" if dice.random() < 0.8 else "/tea/:id"  # noqa: PLR2004
    land(visit, _screen(route, dice), apps.CAMPAIGNS.draw(dice))
    for _ in range(MOST_PAGES):
        visit.dwell(12_000)
        if route == "/timer":
            _start_timer(visit)
        before, url = route, tab.url
        route = _SCREENS[route].draw(dice)
        if route == EXIT or visit.is_tired:
            break
        visit.note_view(_screen(route, dice), "")
        visit.tell_route(before, route, url)
        visit.call("GET", f"/v2{tab.page.path}", 200 if dice.random() < 0.98 else 503)  # noqa: PLR2004
        go_wrong(visit)
        tab.flush()


def _screen(route: str, dice: Dice) -> Page:
    view = route.split("/")[1]
    return Page(route.replace(":id", str(1 + dice.below(60))), route, view, 1.1)


def _start_timer(visit: Visit) -> None:
    tab = visit.tab
    began_ms = tab.now
    visit.begin("start-timer", "#timer")
    tab.business(
        "timer_started", f" event_data_seconds={60 * (1 + visit.dice.below(5))}"
    )
    visit.end(began_ms)
    visit.dwell(60_000)
