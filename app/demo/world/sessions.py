"""One visit: from the draw of a visitor to the lines and the truth of its sessions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.demo.world import journeys
from app.demo.world.apps import APPS, DOCS, MOBILE, PRODUCTS, TRAFFIC, App
from app.demo.world.browsing import Visit
from app.demo.world.dialects import Dialect, dialect
from app.demo.world.dice import Dice
from app.demo.world.mischief import (
    NO_MISCHIEF,
    Mischief,
    count_stored,
    disturb,
    squeeze,
)
from app.demo.world.people import meet
from app.demo.world.releases import Incident, release_of
from app.demo.world.tab import Delivery, Setting, Tab
from app.demo.world.truth import SessionTruth, Vitals
from app.model import Labels

_STAGING = 0.08
_OLD_TAB = 0.1
_OLD_TAB_MS = 45 * 60_000
_KILLED = 0.04
_ROTATED = 0.02
_IDLE_MS = 16 * 60_000
_FAVOUR = 1.6  # how much more often the first visitors come than the last


_COUNTED = (
    "page_loads",
    "errors",
    "error_logs",
    "api_errors",
    "resources",
    "actions",
    "events",
    "purchases",
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all visits of a world share."""

    seed: int
    visitors: int
    incident: Incident | None
    dialect: str
    mischief: Mischief = NO_MISCHIEF


@dataclass(frozen=True, slots=True)
class Told:
    """One session: when the visit to which it belongs began, its lines, its truth."""

    visit_ms: int
    deliveries: list[Delivery]
    truth: SessionTruth


@lru_cache(maxsize=64)
def speak(name: str, app: str, environment: str) -> tuple[Dialect, dict[str, Labels]]:
    """Tell in which dialect an application's lines are, and the labels by kind."""
    if name == "mixed":
        name = "otel" if app == MOBILE.name else "alloy"
    spoken = dialect(name)
    return spoken, spoken.labels(APPS[app], environment)


def _set(frame: Frame, dice: Dice, at_ms: int, skew_ms: int) -> Setting:
    app: App = TRAFFIC.draw(dice)
    number = int(frame.visitors * dice.random() ** _FAVOUR)
    visitor = meet(frame.seed, number, on_the_move=app is MOBILE)
    environment = "staging" if dice.random() < _STAGING else "production"
    behind_ms = dice.below(_OLD_TAB_MS) if dice.random() < _OLD_TAB else 0
    release = release_of(app.name, at_ms - behind_ms, frame.incident)
    spoken, labels = speak(frame.dialect, app.name, environment)
    return Setting(app, environment, release, visitor, spoken, labels, skew_ms)


def tell_visit(frame: Frame, dice: Dice, luck: Dice, at_ms: int) -> Iterator[Told]:
    """Tell the sessions of one visit: one, rarely two.

    Args:
        frame: of the world.
        dice: what the visitor does.
        luck: what happens to the lines on their way, which changes nothing of it.
        at_ms: when the visit begins, epoch ms.
    """
    setting = _set(frame, dice, at_ms, frame.mischief.skew_ms(luck))
    tab = Tab(setting, dice, at_ms)
    if setting.visitor.person and setting.visitor.stays_in:
        tab.identify(setting.visitor.person)
    visit = Visit(tab)
    journeys.JOURNEYS[setting.app.name](visit)
    tabs = visit.tabs
    if dice.random() < _KILLED:
        visit.tab.flush()  # the page never got to hide: no CLS, no INP, no LCP
    elif dice.random() < _ROTATED:
        visit.tab.flush()
        tabs.append(_rotate(visit.tab))
    else:
        visit.leave()
    for told in tabs:
        yield _deliver(frame, luck, told, at_ms)


def tell_runaway(frame: Frame, dice: Dice, at_ms: int) -> Told:
    """Tell the session of a page that logs in a loop, all of it in one nanosecond."""
    tab = Tab(_set(frame, dice, at_ms, 0), dice, at_ms)
    visit = Visit(tab)
    visit.load(PRODUCTS)
    for turn in range(frame.mischief.burst_lines):
        tab.log("warn", f"retry {turn}: price feed is stale")
    visit.leave()
    return _deliver(frame, dice, tab, at_ms)


def _rotate(before: Tab) -> Tab:
    """Go on after a long pause: the SDK gives the open page a new session."""
    dice = before.dice
    now_ms = before.now + _IDLE_MS + dice.below(_IDLE_MS // 2)
    tab = Tab(before.setting, dice, now_ms, before.session_id)
    visit = Visit.on_open_page(tab, before)
    if dice.random() < 0.5:  # noqa: PLR2004  as often it is lost
        tab.event("session_extend", tab.now)
    tab.log("info", "welcome back")
    tab.flush()
    visit.dwell(8_000)
    if before.setting.app is not DOCS:
        visit.load(PRODUCTS)
        visit.settle()
        visit.dwell(9_000)
    visit.leave()
    return tab


def _deliver(frame: Frame, luck: Dice, tab: Tab, visit_ms: int) -> Told:
    deliveries = [delivery for batch in tab.batches for delivery in batch]
    lines = stored = len(deliveries)
    if frame.mischief is not NO_MISCHIEF:
        deliveries = disturb(frame.mischief, luck, tab.batches)
        minute = visit_ms // 60_000
        if frame.mischief.has_burst(minute):
            deliveries = squeeze(deliveries, minute)
        stored = count_stored(deliveries)
    return Told(visit_ms, deliveries, _truth(tab, deliveries, lines, stored))


def _truth(
    tab: Tab, deliveries: list[Delivery], lines: int, stored: int
) -> SessionTruth:
    ledger, setting = tab.truth, tab.setting
    visitor, counts = setting.visitor, ledger.counts
    received = [at for at, _ in deliveries]
    return SessionTruth(
        app=setting.app.name,
        environment=setting.environment,
        version=setting.release.version,
        session_id=tab.session_id,
        visitor=visitor.number,
        start_ms=min(ledger.times),
        end_ms=max(ledger.times),
        skew_ms=setting.skew_ms,
        first_received_ns=min(received),
        last_received_ns=max(received),
        pages=tuple(ledger.pages),
        entry_url=ledger.entry_url,
        **{what: counts.get(what, 0) for what in _COUNTED},
        users=tuple(ledger.people),
        user=ledger.person,
        browser=visitor.browser.name,
        browser_version=visitor.browser.version,
        os=visitor.browser.os,
        device=visitor.browser.device,
        language=visitor.language,
        country=visitor.place.country,
        has_geo=setting.dialect.has_geo,
        previous_session=tab.previous,
        vitals=tuple([Vitals(**told) for told in ledger.vitals]),  # type: ignore[arg-type]
        lines=lines,
        stored=stored,
    )
