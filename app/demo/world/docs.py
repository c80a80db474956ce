"""How visitors read the docs: one article, or a few."""

from app.demo.world import apps
from app.demo.world.apps import Page
from app.demo.world.browsing import Visit
from app.demo.world.dice import Dice
from app.demo.world.landing import land


def read_docs(visit: Visit) -> None:
    """Docs: read one article, or a few; some of the moves are without a load."""
    dice = visit.dice
    land(visit, Page(_article(dice)), apps.CAMPAIGNS.draw(dice))
    visit.dwell(40_000)
    while dice.random() < 0.55 and not visit.is_tired:  # noqa: PLR2004
        if dice.random() < 0.5:  # noqa: PLR2004
            land(visit, Page(_article(dice)))
        else:
            _drift(visit)
        visit.dwell(45_000)
        if dice.random() < 0.1:  # noqa: PLR2004
            _copy_code(visit)


def _article(dice: Dice) -> str:
    return dice.one(apps.ARTICLES)


def _drift(visit: Visit) -> None:
    """Move within the docs: the URL changes, faro.navigation tells it."""
    tab = visit.tab
    before = tab.url
    path = _article(visit.dice)
    while path == tab.page.path:
        path = _article(visit.dice)
    visit.note_view(Page(path), visit.dice.one(("", "", "?section=billing", "#top")))
    visit.tell_navigation(before)
    tab.flush()


def _copy_code(visit: Visit) -> None:
    tab = visit.tab
    began_ms = tab.now
    visit.begin("copy-code", "pre>button")
    tab.business("code_copied", " event_data_language=bash")
    visit.end(began_ms)
