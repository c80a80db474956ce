"""Which version of each application is out at a moment, and which one is bad."""

from dataclasses import dataclass

_WEEK_MS = 7 * 86_400_000
_HOUR_MS = 3_600_000
_ANCHOR_MS = 1_793_577_600_000  # a Monday, for worlds without an incident
_FIRST_RELEASE_BEFORE_H = 20


@dataclass(frozen=True, slots=True)
class Release:
    """One version of one application, with how well it works."""

    version: str
    sdk: str  # version of the Faro SDK it was built with
    faults: float = 1.0  # factor on the chance that something fails
    drag: float = 1.0  # factor on the largest contentful paint


@dataclass(frozen=True, slots=True)
class Incident:
    """The bad release of the shop: when it came and how long it stayed."""

    at_ms: int
    hours: float = 3.0

    @property
    def until_ms(self) -> int:
        """When the fixed version came."""
        return self.at_ms + int(self.hours * _HOUR_MS)


def shop_release(at_ms: int, incident: Incident | None) -> Release:
    """Name the version of the shop that is out at *at_ms*.

    3.3.x until 20 hours before the incident, 3.4.1 until it, the bad 3.5.0 during it,
    3.5.1 for a week after it, then 3.6.x. Without an incident 3.5.0 is a good version.
    """
    bad_ms = incident.at_ms if incident else _ANCHOR_MS
    fixed_ms = incident.until_ms if incident else _ANCHOR_MS + _WEEK_MS
    before_ms = bad_ms - _FIRST_RELEASE_BEFORE_H * _HOUR_MS
    if at_ms < before_ms:
        weeks = (before_ms - at_ms) // _WEEK_MS
        return Release(f"3.3.{max(0, 9 - weeks)}", "1.19.0")
    if at_ms < bad_ms:
        return Release("3.4.1", "2.10.0")
    if at_ms < fixed_ms:
        worse = (9.0, 2.4) if incident else (1.0, 1.0)
        return Release("3.5.0", "2.10.0", *worse)
    weeks = (at_ms - fixed_ms) // _WEEK_MS
    return Release("3.5.1" if weeks == 0 else f"3.6.{weeks - 1}", "2.10.0")


def weekly_release(at_ms: int, major: str, sdk: str) -> Release:
    """Name a version that changes every Monday and is never bad."""
    return Release(f"{major}.{max(0, 8 + (at_ms - _ANCHOR_MS) // _WEEK_MS)}.0", sdk)


def release_of(app: str, at_ms: int, incident: Incident | None) -> Release:
    """Name the version of *app* that is out at *at_ms*."""
    if app == "tealeaf-shop":
        return shop_release(at_ms, incident)
    if app == "tealeaf-docs":
        return weekly_release(at_ms, "1", "2.12.1")
    return weekly_release(at_ms, "2", "2.10.0")
