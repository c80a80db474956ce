"""What happens on every page of every application: calls, faults, messages."""

from app.demo.world.apps import Page
from app.demo.world.browsing import Visit
from app.demo.world.faults import EVERYWHERE, MESSAGES

MOST_PAGES = 30
EXIT = ""  # where a journey ends
_FAULT_RATE = 0.012
_MESSAGE_RATE = 0.03


def go_wrong(visit: Visit, rate: float = _FAULT_RATE) -> None:
    """Let the page fail or complain, as the release and luck will have it."""
    tab, dice = visit.tab, visit.dice
    if dice.random() < rate * tab.setting.release.faults:
        tab.fail(dice.one(EVERYWHERE))
        tab.now += 30
    if dice.random() < _MESSAGE_RATE:
        tab.log(*dice.one(MESSAGES))


def land(visit: Visit, page: Page, query: str = "", *, status: int = 200) -> None:
    """Load a page with what it calls and what goes wrong on it."""
    visit.load(page, query, status=status)
    if page.weight >= 1 and visit.dice.random() < 0.55:  # noqa: PLR2004
        visit.call("GET", "/v1/recommendations")
    go_wrong(visit)
    visit.settle()
