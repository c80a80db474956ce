"""One browser tab with the Faro SDK in it: what happens in it, and what it sends."""

from dataclasses import dataclass

from app.demo.world.apps import App, Page
from app.demo.world.dialects import Action, Dialect, Trace
from app.demo.world.dice import Dice
from app.demo.world.faults import Fault, write_fault
from app.demo.world.people import Visitor
from app.demo.world.releases import Release
from app.demo.world.text import pairs, prefixed, quote
from app.demo.world.truth import Person
from app.model import Entry, Labels

MAX_BATCH = 50
_FIRST_FLUSH_MS = 250

Item = tuple[str, str, Labels]  # kind, line, metadata
Delivery = tuple[int, Entry]  # when Loki can be asked for it (epoch ns), the entry


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same during a session."""

    app: App
    environment: str
    release: Release
    visitor: Visitor
    dialect: Dialect
    labels: dict[str, Labels]
    skew_ms: int = 0


class Ledger:
    """What is true of a session so far, counted when it happens."""

    def __init__(self) -> None:
        self.times: list[int] = []  # of its lines, epoch ms
        self.pages: list[str] = []
        self.vitals: list[dict[str, str | float]] = []
        self.people: dict[Person, None] = {}
        self.person: Person | None = None
        self.entry_url = ""
        self.counts: dict[str, int] = {}

    def count(self, what: str) -> None:
        """Count one more of something."""
        self.counts[what] = self.counts.get(what, 0) + 1


class Tab:
    """A tab on the true clock; its lines carry the browser's clock."""

    def __init__(
        self, setting: Setting, dice: Dice, now_ms: int, previous: str = ""
    ) -> None:
        """Open an empty tab.

        Args:
            setting: who, where, with what.
            dice: the session's luck.
            now_ms: true time, epoch ms.
            previous: id of the session that this one continues, if any.
        """
        self.setting = setting
        self.dice = dice
        self.now = now_ms
        self.opened = now_ms
        self.session_id = dice.id10()
        self.truth = Ledger()
        self.batches: list[list[Delivery]] = []
        self.person: Person | None = None
        self.page = Page("")
        self.url = ""
        self.view = ""
        self.navigation_id = ""
        self.action: Action | None = None
        self.last_fault: Fault | None = None  # since the page was loaded
        self._items: dict[str, list[Item]] = _empty()
        self._before = self._write_before()
        self.previous = previous
        self._session = self._write_session(previous)
        self._browser = setting.dialect.browser(setting.visitor)
        self._user = ""
        self._tail = ""
        version = setting.release.version
        self._metadata = {
            kind: setting.dialect.metadata(kind, version) for kind in self._items
        }

    @property
    def _told_action(self) -> str:
        action = self.action
        if action is None:
            return ""
        return f" action_name={action.name} action_parent_id={action.id}"

    @property
    def _told_action_itself(self) -> str:
        action = self.action
        return f" action_id={action.id} action_name={action.name}" if action else ""

    @property
    def is_old_sdk(self) -> bool:
        """Whether the SDK is of the 1.x line, which tells less."""
        return self.setting.release.sdk.startswith("1.")

    def _write_before(self) -> str:
        setting, app = self.setting, self.setting.app
        name = "" if self.is_old_sdk else "faro-web"
        release = setting.release.version if app.namespace else ""
        told = pairs(
            [
                ("sdk_name", name),
                ("sdk_version", setting.release.sdk),
                ("app_name", app.name),
                ("app_namespace", app.namespace),
                ("app_release", release),
                ("app_version", setting.release.version),
                ("app_environment", setting.environment),
            ]
        )
        return " " + told

    def _write_session(self, previous: str) -> str:
        attributes = dict(self.setting.visitor.session_attributes)
        if previous:
            attributes["previousSession"] = previous
        told = prefixed("session_attr_", attributes)
        return f" session_id={self.session_id}{' ' if told else ''}{told}"

    def identify(self, person: Person | None) -> None:
        """Tell the SDK who the user is; None forgets it."""
        self.person = person
        if person is None:
            self._user = ""
        else:
            told = pairs(
                [
                    ("user_email", person.email),
                    ("user_id", person.id),
                    ("user_username", person.username),
                ]
            )
            more = prefixed("user_attr_", self.setting.visitor.user_attributes)
            self._user = f" {told} {more}"
        self._refresh()

    def show(self, page: Page, url: str, view: str) -> None:
        """Put another page or view into what is sent along with each item."""
        self.page, self.url, self.view = page, url, view
        self._refresh()

    def _refresh(self) -> None:
        page = f" page_id={quote(self.page.id)}" if self.page.id else ""
        title = ""
        if self.setting.app.titled and self.url:
            name = quote(f"Tealeaf docs {self.truth.pages[0]}")
            title = f" page_attr_referrer=(direct) page_attr_title={name}"
        url = f" page_url={quote(self.url)}" if self.url else ""
        last = self.setting.dialect.last(self.view, self.setting.visitor.place)
        self._tail = (
            f"{self._before}{self._user}{self._session}{page}{url}{title}"
            f"{self._browser}{last}"
        )

    def push(
        self, kind: str, at_ms: int, body: str, metadata: Labels | None = None
    ) -> None:
        """Queue one item that happened at *at_ms*, true time."""
        truth = self.truth
        truth.times.append(at_ms)
        if self.person is not None:
            truth.people[self.person] = None
            truth.person = self.person
        setting = self.setting
        stamp = setting.dialect.stamp(at_ms + setting.skew_ms)
        told = self._metadata[kind] if metadata is None else metadata
        self._items[kind].append((kind, f"{stamp}{body}{self._tail}", told))

    def event(
        self,
        name: str,
        at_ms: int,
        data: str = "",
        domain: str = "browser",
        trace: Trace | None = None,
    ) -> None:
        """Queue an event with its *data* in logfmt."""
        body = f"event_name={name} event_domain={domain}{data}"
        action = self._told_action
        if action and name == "faro.user.action":
            action = self._told_action_itself
        metadata = None
        if trace is not None:
            metadata = self._more(
                "event", trace_id=trace.trace_id, span_id=trace.span_id
            )
        self.push(
            "event", at_ms, self.setting.dialect.event(body, trace, action), metadata
        )

    def business(self, name: str, data: str = "", domain: str = "browser") -> None:
        """Queue one of the application's own events, now."""
        self.truth.count("events")
        if name == "purchase":
            self.truth.count("purchases")
        self.event(name, self.now, data, domain)

    def measure(
        self, type_: str, at_ms: int, values: str, context: str, raw: str
    ) -> None:
        """Queue a measurement; *context* is logfmt with a space in front."""
        action = self._told_action
        body = self.setting.dialect.measurement(type_, values, context, raw, action)
        self.push("measurement", at_ms, body)

    def fail(self, fault: Fault) -> None:
        """Queue an exception, now; the SDK drops one that repeats the last."""
        if fault is self.last_fault:
            return
        self.last_fault = fault
        self.truth.count("errors")
        app = self.setting.app
        version = self.setting.release.version
        script = f"https://{app.host}/assets/{app.script}-{version}.js"
        body, digest = write_fault(fault, script)
        context, action = fault.context, self._told_action
        told = self.setting.dialect.exception(body, digest, context, action)
        self.push("exception", self.now, told, self._more("exception", hash=digest))

    def log(self, level: str, message: str, context: str = "") -> None:
        """Queue a log line, now."""
        if level == "error":
            self.truth.count("error_logs")
        self.push(
            "log", self.now, self.setting.dialect.log(quote(message), level, context)
        )

    def _more(self, kind: str, **more: str) -> Labels:
        version = self.setting.release.version
        return self.setting.dialect.metadata(kind, version, **more)

    def flush(self, wait_ms: int = _FIRST_FLUSH_MS) -> None:
        """Send what is queued; it is received *wait_ms* and a network later."""
        queues = self._items
        items = queues["log"] + queues["exception"]
        items += queues["measurement"]
        items += queues["event"]
        if not items:
            return
        self._items = _empty()
        finish, labels = self.setting.dialect.finish, self.setting.labels
        at_ms = self.now + wait_ms + min(1500, 2 + int(self.dice.spread(25, 0.9)))
        for first in range(0, len(items), MAX_BATCH):
            ts = (at_ms * 1000 + self.dice.below(1000)) * 1000
            batch: list[Delivery] = []
            for kind, line, metadata in items[first : first + MAX_BATCH]:
                batch.append((ts, Entry(ts, finish(line), labels[kind], metadata)))
                ts += 1000
            self.batches.append(batch)
            at_ms += 2


def _empty() -> dict[str, list[Item]]:
    return {"log": [], "exception": [], "measurement": [], "event": []}
