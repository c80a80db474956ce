"""What a page does in a tab: load, move, call an API, answer a click, be left."""

from collections.abc import Callable

from app.demo.world.apps import Page
from app.demo.world.dialects import Action, Trace
from app.demo.world.painting import Painting
from app.demo.world.tab import Tab
from app.demo.world.text import quote
from app.demo.world.vitals import TENTHS

_LONGEST_DWELL_MS = 8 * 60_000
_PATIENCE_MS = 45 * 60_000


class Visit:
    """A tab that is being used."""

    def __init__(self, tab: Tab) -> None:
        """Take a tab that shows nothing yet."""
        self.tab = tab
        self.tabs = [tab]  # one for each session of the visit
        self.dice = tab.dice
        self._painting: Painting | None = None
        self._started = False

    @classmethod
    def on_open_page(cls, tab: Tab, before: Tab) -> "Visit":
        """Take over the page that is open in the tab *before*, without a load."""
        visit = cls(tab)
        visit._take_over(before)
        tab.identify(before.person)
        return visit

    def _take_over(self, before: Tab) -> None:
        tab = self.tab
        self._started = True
        tab.navigation_id = before.navigation_id
        self._view(before.page, before.url)
        tab.show(before.page, before.url, before.view)

    def reset(self) -> None:
        """Start a new session on the open page, as an application does at logout.

        The SDK then says session_extend, and session_start twice. The application
        leaves the page at once, so that it is no page of the new session.
        """
        before = self.tab
        before.flush()
        previous = before.session_id
        self.tab = tab = Tab(before.setting, before.dice, before.now + 1, previous)
        self.tabs.append(tab)
        self._take_over(before)
        if self._painting:
            open_page = {"path": tab.page.path, "navigation_id": tab.navigation_id}
            tab.truth.vitals.append(dict(open_page))
            self._painting.tab = tab
        tab.truth.pages.clear()
        tab.truth.entry_url = ""
        tab.event("session_extend", tab.now)
        for _ in range(2):
            tab.event("session_start", tab.now)
            tab.now += 1

    @property
    def is_tired(self) -> bool:
        """Whether the visitor has been here for long enough."""
        return self.tab.now - self.tabs[0].opened > _PATIENCE_MS

    def load(self, page: Page, query: str = "", *, status: int = 200) -> None:
        """Load a page in full, leaving the one before it."""
        tab, dice = self.tab, self.dice
        previous = tab.navigation_id or "unknown"
        self.leave()
        tab.navigation_id, tab.last_fault = dice.id10(), None
        if tab.person and tab.setting.visitor.is_forgotten:
            tab.identify(None)
        url = f"https://{tab.setting.app.host}{page.path}{query}"
        self._view(page, url)
        tab.truth.count("page_loads")
        tab.truth.vitals.append({"path": page.path, "navigation_id": tab.navigation_id})
        tab.show(page, url, page.first_view or page.view)
        began_ms = tab.now
        painting = self._painting = Painting(tab, page)
        tab.now += (painting.ttfb + int(dice.spread(900, 0.4))) // 10
        script_ms = tab.now
        painted_ms = max(script_ms + 9, began_ms + painting.fcp // 10)
        self._start()
        painting.write_ttfb(script_ms + 6)
        painting.write_fcp(painted_ms, previous)
        self._write_navigation(began_ms, url, previous, status)
        self._view_at_start(page, script_ms)
        tab.now = painted_ms

    def _start(self) -> None:
        name = "session_resume" if self._started else "session_start"
        self._started = True
        self.tab.event(name, self.tab.now)

    def _view(self, page: Page, url: str) -> None:
        truth = self.tab.truth
        truth.pages.append(page.path)
        if not truth.entry_url:
            truth.entry_url = url

    def note_view(self, page: Page, query: str) -> None:
        """Move to another page without a load."""
        tab = self.tab
        url = f"https://{tab.setting.app.host}{page.path}{query}"
        self._view(page, url)
        tab.show(page, url, page.view)

    def tell_navigation(self, before: str) -> None:
        """Queue what the SDK says about a move from the URL *before*."""
        self.tab.event(
            "faro.navigation",
            self.tab.now,
            f" event_data_duration={1 + self.dice.below(40)}"
            f" event_data_fromUrl={quote(before)} event_data_sameDocument=true"
            f" event_data_toUrl={quote(self.tab.url)}",
        )

    def tell_route(self, before: str, route: str, url: str) -> None:
        """Queue what faro-react says about a change of route."""
        self.tab.event(
            "route_change",
            self.tab.now,
            f" event_data_fromRoute={before} event_data_fromUrl={quote(url)}"
            f" event_data_toRoute={route} event_data_toUrl={quote(self.tab.url)}",
        )

    def _view_at_start(self, page: Page, at_ms: int) -> None:
        """Let a page with a view of its own set it, as single-page parts do."""
        if page.view and page.view != self.tab.view:
            self.tab.show(page, self.tab.url, page.view)
            data = f" event_data_fromView=unknown event_data_toView={page.view}"
            self.tab.event("view_changed", at_ms + 1, data)

    def leave(self) -> None:
        """Hide the page, as the next load or the visitor's leaving does."""
        tab = self.tab
        if not tab.navigation_id:
            return
        if self._painting:
            self._painting.hide()
        tab.flush(self.dice.below(60))
        tab.now += 5 + self.dice.below(40)

    def _write_navigation(
        self, at_ms: int, url: str, previous: str, status: int
    ) -> None:
        painted = (self.tab.now - at_ms) + self.dice.below(60)
        ttfb = min(self._painting.ttfb // 10, painted) if self._painting else 0
        size = 1500 + self.dice.below(60_000)
        name = quote(url)
        tab = self.tab
        parsing = max(0, painted - ttfb)
        tab.event(
            "faro.performance.navigation",
            at_ms,
            " event_data_cacheHitStatus=fullLoad"
            f" event_data_decodedBodySize={size} event_data_dnsLookupTime={ttfb // 20}"
            f" event_data_documentParsingTime={parsing}"
            " event_data_domContentLoadHandlerTime=0"
            f" event_data_domProcessingTime={painted // 9}"
            f" event_data_duration={painted + 12} event_data_encodedBodySize={size}"
            f" event_data_faroNavigationId={tab.navigation_id}"
            f" event_data_faroPreviousNavigationId={previous}"
            f" event_data_fetchTime={ttfb} event_data_httpHost={tab.setting.app.host}"
            f" event_data_initiatorType=navigation event_data_name={name}"
            f" event_data_onLoadTime=0 event_data_pageLoadTime={painted + 11}"
            " event_data_protocol=h2 event_data_redirectTime=0"
            " event_data_renderBlockingStatus=non-blocking"
            f" event_data_requestTime={ttfb // 2} event_data_responseStatus={status}"
            " event_data_responseTime=1 event_data_serviceWorkerTime=0"
            f" event_data_tcpHandshakeTime={ttfb // 4}"
            f" event_data_tlsNegotiationTime={ttfb // 5}"
            f" event_data_transferSize={size + 300} event_data_ttfb={ttfb}"
            " event_data_type=navigate event_data_visibilityState=visible",
        )

    def settle(self) -> None:
        """Let the first batch of a page go."""
        self.tab.flush(180 + self.dice.below(80))
        self.tab.now += 300

    def dwell(self, median_ms: float) -> None:
        """Read for a while."""
        self.tab.now += min(_LONGEST_DWELL_MS, int(self.dice.spread(median_ms, 0.9)))

    def call(
        self,
        method: str,
        path: str,
        status: int = 200,
        median_ms: float = 90,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Call the API: a resource, and a span where tracing is on; takes its time.

        What happens at once when it answers, *then*, comes before the SDK looks at the
        call: its lines carry the page and the user of after it.
        """
        tab, dice = self.tab, self.dice
        app = tab.setting.app
        took = 3 + int(dice.spread(median_ms, 0.6) * tab.setting.visitor.slowness)
        began_ms = tab.now
        tab.now += took
        tab.truth.count("resources")
        if status >= 400:  # noqa: PLR2004  the first of HTTP's errors
            tab.truth.count("api_errors")
        if then is not None:
            then()
        url = quote(f"https://{app.api}{path}")
        self._write_resource(began_ms, url, status, took)
        if app.traced and not tab.is_old_sdk:
            self._write_span(method, url, status, took)

    def _write_resource(self, at_ms: int, url: str, status: int, took: int) -> None:
        tab, dice = self.tab, self.dice
        size = 11 + dice.below(9000)
        tab.event(
            "faro.performance.resource",
            at_ms,
            " event_data_cacheHitStatus=fullLoad"
            f" event_data_decodedBodySize={size} event_data_dnsLookupTime=0"
            f" event_data_duration={took} event_data_encodedBodySize={size}"
            f" event_data_faroNavigationId={tab.navigation_id}"
            f" event_data_faroResourceId={dice.id10()} event_data_fetchTime={took}"
            f" event_data_httpHost={tab.setting.app.api}"
            f" event_data_initiatorType=fetch event_data_name={url}"
            " event_data_protocol=h2 event_data_redirectTime=0"
            " event_data_renderBlockingStatus=non-blocking"
            f" event_data_requestTime={took - 2} event_data_responseStatus={status}"
            " event_data_responseTime=1 event_data_serviceWorkerTime=0"
            " event_data_tcpHandshakeTime=0 event_data_tlsNegotiationTime=0"
            f" event_data_transferSize={size + 300} event_data_ttfb={took - 2}"
            " event_data_visibilityState=visible",
        )

    def _write_span(self, method: str, url: str, status: int, took: int) -> None:
        tab, dice = self.tab, self.dice
        bad = f" event_data_error.type={status}" if status >= 400 else ""  # noqa: PLR2004
        trace = Trace(f"{dice.getrandbits(128):032x}", f"{dice.getrandbits(64):016x}")
        tab.event(
            "faro.tracing.fetch",
            tab.now,
            f" event_data_duration_ns={took * 1_000_000 + 192}{bad}"
            f" event_data_http.request.method={method}"
            f" event_data_http.response.status_code={status}"
            f" event_data_server.address={tab.setting.app.api}"
            " event_data_server.port=443"
            f" event_data_session.id={tab.session_id} event_data_url.full={url}",
            trace=trace,
        )

    def begin(self, name: str, target: str) -> Action:
        """Begin a named user action with a click on *target*."""
        if self._painting:
            self._painting.touch(target)
        self.tab.action = Action(self.dice.id10(), name)
        return self.tab.action

    def end(self, began_ms: int) -> None:
        """End the action that began at *began_ms*, and send what it held back."""
        tab = self.tab
        tab.now += 100
        action, told_ms = tab.action, tab.setting.skew_ms
        if action is not None and not tab.is_old_sdk:
            tab.truth.count("actions")
            took = TENTHS[(tab.now - began_ms) * 10 + self.dice.below(10)][1]
            tab.event(
                "faro.user.action",
                began_ms,
                f" event_data_userActionDuration={took}"
                f" event_data_userActionEndTime={tab.now + told_ms}"
                " event_data_userActionImportance=normal"
                f" event_data_userActionName={action.name}"
                f" event_data_userActionStartTime={began_ms + told_ms}"
                " event_data_userActionTrigger=pointerdown",
            )
        tab.action = None
        tab.flush(20 + self.dice.below(200))
        tab.now += 200
