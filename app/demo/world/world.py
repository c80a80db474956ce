"""A small living world: visitors whose browsers send Faro lines, and its truth."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

from app.demo.world.broken import Broken, break_line
from app.demo.world.dice import dice_for
from app.demo.world.mischief import NO_MISCHIEF, Mischief
from app.demo.world.releases import Incident
from app.demo.world.sessions import Frame, Told, speak, tell_runaway, tell_visit
from app.demo.world.tab import Delivery
from app.demo.world.truth import BrokenTruth, SessionTruth
from app.model import Entry

TICK_MS = 60_000
SPAN_MS = 150 * 60_000  # no session sends anything later than this after its tick
_DAY_MS = 86_400_000
_KEPT_TICKS = 400
_by_time = itemgetter(0)


class World:
    """A world that is the same for the same arguments, at any time, in any order."""

    def __init__(
        self,
        seed: int,
        *,
        sessions_per_hour: float = 300.0,
        visitors: int = 400,
        incident_ms: int | None = None,
        incident_hours: float = 3.0,
        dialect: str = "mixed",
        mischief: Mischief = NO_MISCHIEF,
    ) -> None:
        """Describe a world; nothing is made yet.

        Args:
            seed: of everything.
            sessions_per_hour: mean over a day.
            visitors: how many there are.
            incident_ms: when the shop's bad release comes, epoch ms; None: never.
            incident_hours: how long it stays.
            dialect: alloy, json, otel, or mixed: alloy but otel for tealeaf-app.
            mischief: what happens to lines on their way.
        """
        if mischief == NO_MISCHIEF:
            mischief = NO_MISCHIEF  # which is told apart by identity
        incident = None
        if incident_ms is not None:
            incident = Incident(incident_ms, incident_hours)
        self._frame = Frame(seed, visitors, incident, dialect, mischief)
        self._span_ms = SPAN_MS + mischief.longest_ms
        self._per_tick = sessions_per_hour * TICK_MS / 3_600_000
        self._kept: OrderedDict[int, list[Told]] = OrderedDict()

    def history(
        self,
        from_ms: int,
        to_ms: int,
        *,
        whole: bool = False,
        on_session: Callable[[SessionTruth], None] | None = None,
    ) -> Iterator[Entry]:
        """Yield the entries received in [from_ms, to_ms), by time of receipt.

        Receipt is the entry's ``ts``, but for mischief that delivers a stamp late or
        again. Memory is bounded by the sessions under way.

        Args:
            from_ms: epoch ms.
            to_ms: epoch ms; excluded.
            whole: instead yield every entry of exactly the visits that begin in the
                range, as `sessions` tells them, also what is received after it.
            on_session: is told the truth of every session whose visit begins in it.
        """
        first = (from_ms if whole else from_ms - self._span_ms) // TICK_MS
        since, until = (0, 1 << 63) if whole else (from_ms * 10**6, to_ms * 10**6)
        waiting: list[Delivery] = []
        for number in range(first, -(-to_ms // TICK_MS)):
            for told in self._make(number):
                is_born = from_ms <= told.visit_ms < to_ms
                if is_born and on_session:
                    on_session(told.truth)
                if is_born or not whole:
                    waiting += told.deliveries
            broken = [b.delivery for b in self._break(number)]
            waiting += [b for b in broken if _in(b, from_ms, to_ms)]
            waiting.sort(key=_by_time)
            ready = _count_before(waiting, min((number + 1) * TICK_MS * 10**6, until))
            yield from [entry for at, entry in waiting[:ready] if at >= since]
            del waiting[:ready]
        yield from [entry for at, entry in waiting if since <= at < until]

    def sessions(self, from_ms: int, to_ms: int) -> Iterator[SessionTruth]:
        """Tell the truth of the sessions whose visit begins in [from_ms, to_ms).

        A session's truth is of all its lines, whenever they are received: it is what
        history shows once that has passed ``last_received_ns``.
        """
        for number in range(from_ms // TICK_MS, -(-to_ms // TICK_MS)):
            for told in self._make(number):
                if from_ms <= told.visit_ms < to_ms:
                    yield told.truth

    def broken(self, from_ms: int, to_ms: int) -> Iterator[BrokenTruth]:
        """Tell the broken lines that are received in [from_ms, to_ms)."""
        for number in range(from_ms // TICK_MS, -(-to_ms // TICK_MS)):
            for broken in self._break(number):
                if _in(broken.delivery, from_ms, to_ms):
                    yield broken.truth

    def live(self, since_ms: int, now_ms: int) -> list[Entry]:
        """List the entries received in [since_ms, now_ms), by time of receipt.

        Cheap when called again and again with rising times: recent ticks are kept.
        """
        since, until = since_ms * 10**6, now_ms * 10**6
        first = (since_ms - self._span_ms) // TICK_MS
        found: list[Delivery] = []
        for number in range(first, now_ms // TICK_MS + 1):
            for told in self._kept_tick(number):
                if told.truth.last_received_ns >= since:
                    found += [d for d in told.deliveries if since <= d[0] < until]
            if number >= since_ms // TICK_MS:
                broken = [b.delivery for b in self._break(number)]
                found += [b for b in broken if since <= b[0] < until]
        found.sort(key=_by_time)
        return [entry for _, entry in found]

    def _kept_tick(self, number: int) -> list[Told]:
        tick = self._kept.get(number)
        if tick is None:
            tick = self._kept[number] = self._make(number)
            if len(self._kept) > _KEPT_TICKS:
                self._kept.popitem(last=False)
        return tick

    def _make(self, number: int) -> list[Told]:
        """Make the visits that begin in minute *number* since the epoch."""
        frame = self._frame
        dice, luck = dice_for(frame.seed, number), dice_for(frame.seed, number, 1)
        start_ms = number * TICK_MS
        tick: list[Told] = []
        for _ in range(dice.often(self._per_tick * busyness(start_ms))):
            at_ms = start_ms + dice.below(TICK_MS)
            tick.extend(tell_visit(frame, dice.fork(), luck, at_ms))
        if frame.mischief.burst_lines and frame.mischief.has_burst(number):
            tick.append(tell_runaway(frame, luck.fork(), start_ms))
        return tick

    def _break(self, number: int) -> list[Broken]:
        """Make the broken lines that are received in minute *number*."""
        mean = self._frame.mischief.broken
        if not mean:
            return []
        dice = dice_for(self._frame.seed, number, 2)
        speak_here = partial(speak, self._frame.dialect)
        return [
            break_line(speak_here, dice, number * TICK_MS + dice.below(TICK_MS))
            for _ in range(dice.often(mean))
        ]


def busyness(ms: int) -> float:
    """Tell how busy the day is at *ms*, 1 on average: quiet nights, a long evening."""
    turn = 2 * math.pi * (ms % _DAY_MS) / _DAY_MS
    return 1 - 0.62 * math.cos(turn - 0.9) + 0.16 * math.cos(2 * turn - 0.4)


def _in(delivery: Delivery, from_ms: int, to_ms: int) -> bool:
    return from_ms * 10**6 <= delivery[0] < to_ms * 10**6


def _count_before(deliveries: list[Delivery], border: int) -> int:
    """Count the sorted deliveries before *border*, ns."""
    low, high = 0, len(deliveries)
    while low < high:
        middle = (low + high) // 2
        if deliveries[middle][0] < border:
            low = middle + 1
        else:
            high = middle
    return low
