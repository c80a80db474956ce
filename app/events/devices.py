"""Name browsers, systems and devices the way people do."""

import re
from functools import lru_cache
from typing import NamedTuple

_BOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|headless|lighthouse|preview|monitor", re.IGNORECASE
)
_SYSTEMS = {
    "mac os": "macOS",
    "mac os x": "macOS",
    "macos": "macOS",
    "iphone os": "iOS",
    "chromium os": "ChromeOS",
    "chrome os": "ChromeOS",
}


class Agent(NamedTuple):
    """What a user agent tells; empty where it does not."""

    browser: str = ""
    version: str = ""
    os: str = ""
    device: str = ""  # desktop | mobile | tablet | bot
    model: str = ""


UNKNOWN = Agent()


def is_bot(name: str) -> bool:
    """Tell whether a browser's name, or its user agent, is that of a machine."""
    return bool(_BOT.search(name))


def browser(name: str) -> str:
    """Drop what the device already says: ``Mobile Safari`` is Safari."""
    short = name.removeprefix("Mobile ").removesuffix(" Mobile")
    return short.removesuffix(" Headless").removesuffix(" WebView")


def system(name: str) -> str:
    """Return the family of ``NAME VERSION``, the version being the last word.

    ``Mac OS 10.15.7`` is macOS, ``Linux unknown`` Linux, ``Windows 10`` Windows.
    """
    words = name.split()
    if len(words) > 1 and (words[-1] == "unknown" or words[-1][0].isdigit()):
        words.pop()
    family = " ".join(words)
    return _SYSTEMS.get(family.lower(), family)


@lru_cache(maxsize=4_096)
def device(user_agent: str, *, is_mobile: bool) -> str:
    """Tell ``desktop | mobile | tablet | bot`` from the user agent.

    Source: an iPad's user agent says iPad (or Macintosh, then it cannot be told), an
    Android tablet's says Android without Mobile: developer.chrome.com/docs/multidevice.
    """
    if _BOT.search(user_agent):
        return "bot"
    if "iPad" in user_agent or "Tablet" in user_agent:
        return "tablet"
    if "Android" in user_agent and "Mobile" not in user_agent:
        return "tablet"
    return "mobile" if is_mobile else "desktop"
