"""The web vitals of one loaded page, and when the SDK tells them."""

from app.demo.world.apps import Page
from app.demo.world.tab import Tab
from app.demo.world.vitals import TENTHS, rate, vital_id, write_vital


class Painting:
    """How one page of a tab came to be seen; times are in tenths of a ms."""

    def __init__(self, tab: Tab, page: Page) -> None:
        """Draw how fast *page* is, for this visitor and this release."""
        dice = tab.dice
        slow = tab.setting.visitor.slowness * page.weight
        self.tab = tab
        self.touched = ""  # what the visitor clicked on; empty: nothing
        self.ttfb = int(dice.spread(1200, 0.55) * slow)
        self.fcp = self.ttfb + int(dice.spread(4500, 0.5) * slow)
        drag = slow * tab.setting.release.drag
        self._lcp = self.fcp + int(dice.spread(5500, 0.6) * drag)
        self._loaded_ms = tab.now

    def hide(self) -> None:
        """Tell what is told when a page is hidden; the old SDK tells less."""
        if not self.tab.is_old_sdk:
            if self.touched:
                self._write_inp()
            self._write_cls()
        self.write_lcp()

    def touch(self, target: str) -> None:
        """Click on *target*: what was largest until now is told."""
        self.write_lcp()
        if self.tab.is_old_sdk and not self.touched:
            self._write_fid(target)
        self.touched = target

    def _write_fid(self, target: str) -> None:
        fid = 6 + self.tab.dice.below(40)
        parts = {
            "delta": fid,
            "event_time": 10 * (self.tab.now - self._loaded_ms),
            "fid": fid,
        }
        context = (
            f" context_event_target={target} context_event_type=pointerdown"
            f"{self._id()} context_load_state=complete"
        )
        self._vital("fid", self.tab.now, parts, context)

    def _vital(
        self,
        name: str,
        at_ms: int,
        parts: dict[str, int],
        context: str,
        navigation_id: str = "",
    ) -> None:
        values, raw, value = write_vital(name, parts)
        told = (
            f"{context}"
            f" context_navigation_entry_id={navigation_id or self.tab.navigation_id}"
            f" context_navigation_type=navigate context_rating={rate(name, value)}"
        )
        self.tab.truth.vitals[-1][name] = value
        self.tab.measure("web-vitals", at_ms, values, told, raw)

    def _id(self) -> str:
        tab = self.tab
        ms = self._loaded_ms + tab.setting.skew_ms
        return f" context_id={vital_id(self.tab.dice, ms, tab.setting.release.sdk)}"

    def write_ttfb(self, at_ms: int) -> None:
        """Tell the time to first byte, at *at_ms*."""
        whole = self.ttfb
        waiting, connecting = whole // 10, whole // 4
        parts = {
            "cache_duration": whole // 30 + 1,
            "connection_duration": connecting,
            "delta": whole,
            "request_duration": whole - waiting - connecting - whole // 30 - 1,
            "ttfb": whole,
            "waiting_duration": waiting,
        }
        self._vital("ttfb", at_ms, parts, self._id())

    def write_fcp(self, at_ms: int, previous: str) -> None:
        """Tell the first contentful paint; the first load may not know its id yet."""
        fcp = self.fcp
        parts = {
            "delta": fcp,
            "fcp": fcp,
            "first_byte_to_fcp": fcp - self.ttfb,
            "time_to_first_byte": self.ttfb,
        }
        context = f"{self._id()} context_load_state=loading"
        is_early = previous == "unknown" and self.tab.dice.random() < 0.3  # noqa: PLR2004
        self._vital("fcp", at_ms, parts, context, "unknown" if is_early else "")

    def write_lcp(self) -> None:
        """Tell the largest contentful paint now, unless that is done."""
        lcp, self._lcp = self._lcp, 0
        if not lcp:
            return
        rest = lcp - self.ttfb
        parts = {
            "delta": lcp,
            "element_render_delay": rest // 3,
            "lcp": lcp,
            "resource_load_delay": rest // 5,
            "resource_load_duration": rest - rest // 3 - rest // 5,
            "time_to_first_byte": self.ttfb,
        }
        context = f" context_element=html>body>img{self._id()}"
        self._vital("lcp", self.tab.now, parts, context)

    def _write_cls(self) -> None:
        dice, tab = self.tab.dice, self.tab
        if dice.random() < 0.45:  # noqa: PLR2004
            value, told = 0.0, ("0.000000", "0")
            parts, raw = "cls=0.000000 delta=0.000000", "value_cls=0 value_delta=0"
            target = ""
        else:
            value = round(dice.spread(0.03, 1.1), 5) + 2**-50
            told = f"{value:.6f}", repr(value)
            shift = TENTHS[4000 + dice.below(20_000)]
            parts = (
                f"cls={told[0]} delta={told[0]} largest_shift_time={shift[0]}"
                f" largest_shift_value={told[0]}"
            )
            raw = (
                f"value_cls={told[1]} value_delta={told[1]}"
                f" value_largest_shift_time={shift[1]}"
                f" value_largest_shift_value={told[1]}"
            )
            target = " context_largest_shift_target=html>body>main>div.banner"
        context = (
            f"{self._id()}{target} context_navigation_entry_id={tab.navigation_id}"
            f" context_navigation_type=navigate context_rating={rate('cls', value)}"
        )
        tab.truth.vitals[-1]["cls"] = value
        tab.measure("web-vitals", tab.now, parts, context, raw)

    def _write_inp(self) -> None:
        inp = 80 * (1 + int(self.tab.dice.spread(4, 0.9)))
        delay, work = inp // 10 + 3, inp // 4
        when = 12_000 + self.tab.dice.below(100_000)
        parts = {
            "delta": inp,
            "inp": inp,
            "input_delay": delay,
            "interaction_time": when,
            "next_paint_time": when + inp,
            "presentation_delay": inp - delay - work,
            "processing_duration": work,
        }
        context = (
            f"{self._id()} context_interaction_target={self.touched}"
            " context_interaction_type=pointer context_load_state=complete"
        )
        self._vital("inp", self.tab.now, parts, context)
