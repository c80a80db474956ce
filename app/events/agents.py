"""Tell browser, system and device from a raw user agent.

The patterns are those of the ua-parser project, which OpenObserve uses as well.
"""

from functools import lru_cache

from app.events import devices
from app.events.decoder import MAX_NAME
from app.events.devices import UNKNOWN, Agent

_MAX_AGENT = 500  # characters; longer ones are cut, real ones are shorter
_REMEMBERED = 5_000


def describe_agent(agent: str) -> Agent:
    """Return what *agent* says; what it does not say is empty."""
    agent = agent.strip()[:_MAX_AGENT]
    return _describe(agent) if agent else UNKNOWN


@lru_cache(maxsize=_REMEMBERED)
def _describe(agent: str) -> Agent:
    from ua_parser import parse  # noqa: PLC0415  # takes 0.1 s, and few sources need it

    found = parse(agent)
    browser, system, device = found.user_agent, found.os, found.device
    return Agent(
        devices.browser(browser.family)[:MAX_NAME] if browser else "",
        ".".join(filter(None, (browser.major, browser.minor)))[:MAX_NAME]
        if browser
        else "",
        devices.system(system.family)[:MAX_NAME] if system else "",
        devices.device(agent, is_mobile="Mobi" in agent),
        (device.family or "")[:MAX_NAME] if device else "",
    )
