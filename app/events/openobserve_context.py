"""Read who, on what, in which release and where, of one OpenObserve event."""

from typing import Any

from app.events import clean, devices
from app.events.agents import describe_agent
from app.events.decoder import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_STACK, MAX_TEXT
from app.events.devices import Agent
from app.events.lines import any_text, number, text
from app.events.openobserve_record import Record
from app.model import Context, Labels

_RAW_AGENTS = ("user_agent", "http_user_agent", "user_agent_string", "http.useragent")
_USER = frozenset({"id", "name", "email", "anonymous_id"})
_TAG_KEYS = frozenset({"env", "service", "version", "sdk_version"})


def tags_of(record: Record) -> dict[str, str]:
    """Return the pairs of ``ootags``, such as ``env:production,version:1.4``."""
    said = record.get("ootags") or record.get("o2tags") or record.get("ddtags")
    pairs = [each.partition(":") for each in text(said, MAX_TEXT).split(",")[:20]]
    return {name.strip(): value.strip() for name, _, value in pairs if value}


def read_context(record: Record, labels: Labels, tags: dict[str, str]) -> Context:
    """Return the context of one event; what nobody says is empty."""
    get = record.get
    url = clean.redact_url(text(get("view.url"), MAX_STACK))
    agent = _agent(record)
    service = text(get("service")) or tags.get("service", "")
    return Context(
        app=service or text(get("application.id")) or labels.get("service_name", ""),
        environment=text(get("env")) or tags.get("env") or labels.get("env", ""),
        version=text(get("version") or get("build_version")) or tags.get("version", ""),
        sdk=text(get("sdk_version")) or tags.get("sdk_version", ""),
        user_id=text(get("usr.id")),
        user_name=text(get("usr.name")),
        user_email=text(get("usr.email")),
        url=url,
        page=clean.path_of(url),
        browser=agent.browser,
        browser_version=agent.version,
        os=agent.os,
        device=agent.device,
        country=text(get("geo_info.country_iso_code"))[:2].upper(),
        language=text(get("device.locale")),
        view=text(get("view.name")),
        referrer=clean.host_of(text(get("view.referrer"), MAX_STACK)),
        attributes=_attributes(record, tags, agent),
        city=text(get("geo_info.city")),
        connection=_connection(record),
        anonymous=text(get("usr.anonymous_id")),
    )


def _connection(record: Record) -> str:
    """Return how fast the line is, else what it is, else that there is none."""
    kind = text(record.get("connectivity.effective_type"), 40)
    if kind:
        return kind
    interfaces = record.listed("connectivity.interfaces")
    if interfaces:
        return text(interfaces[0], 40)
    status = text(record.get("connectivity.status"), 40)
    return "" if status == "connected" else status


def _agent(record: Record) -> Agent:
    """Tell the device from what was added on the way, or from the raw user agent."""
    get = record.get
    family, system = get("user_agent.user_agent.family"), get("user_agent.os.family")
    model = get("user_agent.device.family")
    if not (family or system or model):
        raw = [text(get(name), MAX_TEXT) for name in _RAW_AGENTS]
        found = describe_agent(next(filter(None, raw), ""))
    else:
        parts = [
            text(get(f"user_agent.user_agent.{n}"), 20) for n in ("major", "minor")
        ]
        found = Agent(
            devices.browser(text(family)),
            ".".join(filter(None, parts)),
            devices.system(text(system)),
            _device(text(model), text(system), text(family)),
            text(model),
        )
    own_system, own_model = text(get("os.name")), text(get("device.name"))
    own_kind = text(get("device.type"), 20)
    return Agent(
        found.browser,
        found.version,
        devices.system(own_system) if own_system else found.os,
        _KINDS.get(own_kind, own_kind) or found.device,
        own_model or found.model,
    )


_KINDS = {"phone": "mobile", "smartphone": "mobile"}


def _device(model: str, system: str, browser: str) -> str:
    """Tell the kind of device as OpenObserve's own pages do.

    Source: openobserve web/src/views/RUM/AppSessions.vue.
    """
    known = model.lower()
    if known == "spider" or devices.is_bot(browser):
        return "bot"
    if "tablet" in known or "ipad" in known:
        return "tablet"
    if "phone" in known or "mobile" in known or system.lower() in {"ios", "android"}:
        return "mobile"
    return "desktop"


def _attributes(record: Record, tags: dict[str, str], agent: Agent) -> dict[str, str]:
    """Return what the application, its tags and its users say of their own."""
    found: dict[str, str] = {}
    kind, platform = text(record.get("session.type")), text(record.get("source"))
    if kind not in {"", "user"}:
        found["session.type"] = kind
    if platform not in {"", "browser"}:
        found["session.platform"] = platform
    if agent.model not in {"", "Other"}:
        found["session.model"] = agent.model
    found |= _screen(record)
    for name, value in tags.items():
        if name not in _TAG_KEYS:
            found[f"session.{name[:MAX_ATTRIBUTE]}"] = value[:MAX_ATTRIBUTE]
    for scope, path in (
        ("user", "usr"),
        ("user.account", "account"),
        ("event", "context"),
    ):
        for name, value in record.below(path):
            said = "" if path == "usr" and name in _USER else _said(value)
            if said and len(found) < MAX_ATTRIBUTES:
                found[f"{scope}.{name[:MAX_ATTRIBUTE]}"] = said
    return dict(sorted(found.items()))


def _screen(record: Record) -> dict[str, str]:
    """Return the size of the window, and the version of the system."""
    get, found = record.get, dict[str, str]()
    size = [number(get(f"display.viewport.{side}")) for side in ("width", "height")]
    if all(size):
        found["session.viewport"] = "x".join(str(int(side or 0)) for side in size)
    parts = [text(get(f"user_agent.os.{n}"), 20) for n in ("major", "minor")]
    version = text(get("os.version"), 40) or ".".join(filter(None, parts))
    if version:
        found["session.os_version"] = version
    return found


def _said(value: Any) -> str:
    return any_text(value, MAX_ATTRIBUTE)
