"""Give every entry of a time once, whatever Loki's limits."""

from typing import NamedTuple

from app.errors import SourceRefused
from app.sources.loki.answer import Answer, before, read_answer
from app.sources.loki.burst import gather_burst
from app.sources.loki.client import Client
from app.sources.loki.gauge import Gauge
from app.sources.loki.logql import Query
from app.sources.loki.trouble import Cut, LimitTooHigh, RangeTooLong, TooMuch
from app.sources.model import Page, Stream, make_page

QUERY_RANGE = "/loki/api/v1/query_range"
ADAPTATIONS = 40  # of one request to limits that Loki names, before its word is shown


class Asked(NamedTuple):
    """An answer, and what it answers."""

    answer: Answer
    end: int  # ns; earlier than asked for when Loki allowed less
    limit: int  # entries

    @property
    def is_full(self) -> bool:
        """Whether there may be more entries than these."""
        return self.answer.entries >= self.limit


class Pager:
    """Turns log queries into pages; safe among threads, each with its own client."""

    def __init__(self, query: Query, gauge: Gauge) -> None:
        self._query = query
        self._gauge = gauge

    def page(self, client: Client, start: int, end: int) -> Page:
        """Return the first page of ``[start, end)``; it ends at or before *end*.

        1. Ask for ``[start, end)``, oldest first.
        2. Fewer entries than the limit: that is all.
        3. As many: all before the newest time is complete; that time itself may not
           be, and which of its entries came is up to Loki. The page ends before it.
        4. All of them at *start*: gather that one nanosecond on its own.

        Raises:
            SourceError: nothing was given and nothing skipped.
        """
        asked = self.ask(client, self._query, start, end)
        answer = asked.answer
        if not asked.is_full:
            page = make_page(start, asked.end, answer.streams)
        elif answer.newest > start:
            page = make_page(start, answer.newest, before(answer, answer.newest))
        else:
            client.counters.met("burst")
            page = make_page(start, start + 1, self._burst(client, asked, start))
        client.counters.paged(page.entries)
        return page

    def ask(self, client: Client, query: Query, start: int, end: int) -> Asked:
        """Ask for the oldest entries of ``[start, end)``, adapting to Loki's limits."""
        patience = client.patience()
        end = min(end, start + self._gauge.longest)
        for _ in range(ADAPTATIONS):
            limit = self._gauge.limit()
            params = _params(query, start, end, limit)
            try:
                body, size = client.get_json(QUERY_RANGE, params, patience)
            except Cut as trouble:
                self._gauge.failed(limit)
                patience.spend(trouble)
            except (LimitTooHigh, RangeTooLong, TooMuch) as refusal:
                client.counters.met("adapted")
                end = self._adapt(refusal, limit, start, end)
            else:
                answer = read_answer(body, size, start, end, limit)
                self._learn(answer, start, end, limit)
                return Asked(answer, end, limit)
        raise SourceRefused("Loki refuses every size of request; see its limits")

    def _adapt(self, refusal: SourceRefused, limit: int, start: int, end: int) -> int:
        """Learn from a *refusal* and return the end to try next.

        Raises:
            SourceRefused: the same, when less cannot be asked for.
        """
        span = end - start
        if isinstance(refusal, LimitTooHigh):
            if not 1 < refusal.maximum < limit:
                raise refusal
            self._gauge.bound_entries(refusal.maximum)
            return end
        if isinstance(refusal, RangeTooLong):
            longest = int(refusal.longest_s * 1e9)
            if not 0 < longest < span:
                raise refusal
            self._gauge.bound_window(longest)
            return start + longest
        if span < 2:  # noqa: PLR2004 - cannot be halved
            raise refusal
        self._gauge.narrow(span)
        return start + span // 2

    def _learn(self, answer: Answer, start: int, end: int, limit: int) -> None:
        full = answer.entries >= limit
        span = answer.newest - start if full else end - start
        self._gauge.saw(answer.entries, answer.size, max(1, span))

    def _burst(self, client: Client, first: Asked, ts: int) -> list[Stream]:
        def ask(query: Query) -> tuple[list[Stream], bool]:
            asked = self.ask(client, query, ts, ts + 1)
            return asked.answer.streams, asked.is_full

        return gather_burst(self._query, first.answer.streams, ask, client.counters)


def _params(query: Query, start: int, end: int, limit: int) -> dict[str, str | int]:
    return {
        "query": str(query),
        "start": start,
        "end": end,
        "limit": limit,
        "direction": "forward",
    }
