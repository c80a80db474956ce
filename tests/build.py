"""Build Faro lines as Alloy writes them; the interesting field is named, the rest hidden.

Every builder returns entries, which ``Index.feed`` takes. ``at`` is when it happened, a
time of the one day on which all tests happen; ``received`` is when Loki got it.
"""

from app.demo.world.text import go_time, pairs
from app.model import Entry

DAY = 1_795_132_800_000  # 2026-11-20T00:00:00Z, ms
MS = 1_000_000  # ns
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000  # ms
DELAY = 200  # ms between an event and its receipt
LABELS = {"job": "faro", "app_name": "shop"}
CHROME = {
    "browser_name": "Chrome",
    "browser_version": "142.0.0.0",
    "browser_os": "Windows 10",
    "browser_mobile": "false",
    "browser_userAgent": "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0.0.0 Safari/537.36",
    "browser_language": "en-US",
}
META = {
    "sdk_name": "faro-web",
    "sdk_version": "2.10.0",
    "app_name": "shop",
    "app_version": "1.0",
    "app_environment": "production",
}
FIRST = ("sdk_", "app_", "user_", "session_", "page_", "browser_", "view_")


def ms(at: str | int) -> int:
    """Return epoch ms of ``10:00``, ``10:00:01.5`` or of what is ms already."""
    if isinstance(at, int):
        return at
    hours, minutes, seconds = [*map(float, at.split(":")), 0.0][:3]
    return DAY + round((hours * 3600 + minutes * 60 + seconds) * 1000)


def line(kind: str, session: str, at: str | int, /, **fields: str) -> str:
    """Write one line: the item's fields, then the meta, as Alloy orders them."""
    meta = {key: fields.pop(key) for key in list(fields) if key.startswith(FIRST)}
    page = meta.pop("page_url", "https://shop.example.com/")
    known = {**META, **meta, "session_id": session, "page_url": page, **CHROME, **meta}
    ordered = [
        (key, value)
        for first in FIRST
        for key, value in known.items()
        if key.startswith(first)
    ]
    item = [("timestamp", go_time(ms(at))), ("kind", kind), *fields.items()]
    return pairs([*item, *ordered])


def entry(
    text: str,
    received: str | int,
    labels: dict[str, str] = LABELS,
    metadata: dict[str, str] | None = None,
) -> Entry:
    """Put a line into Loki at that time."""
    return Entry(ms(received) * MS, text, labels, metadata or {})


def item(
    kind: str, session: str, at: str | int, received: str | int = "", /, **fields: str
) -> list[Entry]:
    """Build any item."""
    when = ms(received) if received else ms(at) + DELAY
    return [entry(line(kind, session, at, **fields), when)]


def event(session: str, name: str, at: str | int, **more: str) -> list[Entry]:
    """Build an event of the SDK or of the application."""
    received = more.pop("received", "")
    fields = {"event_name": name, "event_domain": "browser", **_paged(more)}
    return item("event", session, at, received, **fields)


def page_load(
    session: str,
    at: str | int,
    page: str = "/",
    *,
    how: str = "start",
    lcp: float | None = None,
    **more: str,
) -> list[Entry]:
    """Build the load of a document: what begins the session, the load, a vital.

    Args:
        session: its id.
        at: when the document's session event was made.
        page: path of the URL.
        how: start for the first load of a session, resume for all others.
        lcp: largest contentful paint, ms, when it is to be reported.
        more: ``received``, and fields of the meta.
    """
    nav = f"nav-{session}-{ms(at)}"
    begun = event(session, f"session_{how}", at, page=page, **more)
    loaded = event(
        session,
        "faro.performance.navigation",
        ms(at) - 50,
        page=page,
        event_data_faroNavigationId=nav,
        event_data_type="navigate",
        **more,
    )
    painted = [] if lcp is None else web_vital(session, at, "lcp", lcp, page, nav=nav)
    return begun + loaded + painted


def web_vital(
    session: str,
    at: str | int,
    name: str,
    value: float,
    page: str = "/",
    nav: str = "unknown",
    **more: str,
) -> list[Entry]:
    """Build one web vital, of the document *nav* or else of the page."""
    received = more.pop("received", "")
    fields = {
        "type": "web-vitals",
        name: f"{value:f}",
        "context_id": f"v6-{session}-{name}-{ms(at)}",
        "context_navigation_entry_id": nav,
        "context_rating": "good",
        f"value_{name}": f"{value:g}",
    }
    return item("measurement", session, at, received, **fields, **_paged(more, page))


def js_error(
    session: str,
    at: str | int,
    message: str = "x is undefined",
    page: str = "/",
    **more: str,
) -> list[Entry]:
    """Build an exception."""
    received = more.pop("received", "")
    fields = {"type": "TypeError", "value": message, "stacktrace": f"Error: {message}"}
    return item("exception", session, at, received, **fields, **_paged(more, page))


def action(
    session: str, at: str | int, name: str = "add-to-cart", page: str = "/", **more: str
) -> list[Entry]:
    """Build what a user did on an element that has a name."""
    return event(
        session,
        "faro.user.action",
        at,
        page=page,
        event_data_userActionName=name,
        event_data_userActionTrigger="pointerdown",
        **more,
    )


def log(
    session: str, at: str | int, message: str = "slow", level: str = "warn", **more: str
) -> list[Entry]:
    """Build a line that the application logged."""
    received = more.pop("received", "")
    return item(
        "log", session, at, received, message=message, level=level, **_paged(more)
    )


def _paged(more: dict[str, str], page: str = "/") -> dict[str, str]:
    path = more.pop("page", page)
    host = more.get("app_name", "shop")
    return {"page_url": f"https://{host}.example.com{path}", **more}
