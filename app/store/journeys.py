"""How visitors went: trails read from the index, and what is counted along them."""

import heapq
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from app.catalog.fields import STATUSES, find
from app.errors import BadRequest, TooExpensive
from app.sessionql.plan import Compare
from app.sessionql.strata import rounded
from app.sessions.funnels import Chain, Funnel, new_funnel, walk, walk_strictly
from app.sessions.journeys import NO_DWELL, Flow, Trails, flow_of
from app.store import conditions
from app.store.columns.flows import flow_in_columns
from app.store.columns.funnels import Steps, funnel_in_columns
from app.store.columns.trails import Way
from app.store.insight_seam import (
    FlowAnswer,
    FlowQuestion,
    FunnelAnswer,
    FunnelQuestion,
    Row,
)
from app.store.ranking import Engine, ask_columns, matching, names_of
from app.store.sampling import choose_sample, sampled
from app.store.seam import Search
from app.store.sql import EVENTS, Statement
from app.store.weights import weights_of

MAX_VISITS = 4_000_000  # held at a time
MAX_GROUPS = 10_000  # labels counted at a time
OTHERS = "(other)"

# start, session, label, for how many it stands, at, bits
Stream = Iterator[tuple[int, int, int, float, int, int]]
_session = itemgetter(0, 1, 2, 3)
_moment = itemgetter(0, 1, 4)  # of one moment, in the order of scopes


class JourneysReader(Engine):
    """Answers questions about the order of things in sessions."""

    def flow(self, asked: FlowQuestion) -> FlowAnswer:
        """Count transitions between pages."""
        with self._bounded() as db:
            after, before = (
                self._number(db, page) for page in (asked.after, asked.before)
            )
            way = Way(after, before, asked.depth)
            flow, sample = self._flow(db, asked, way)
            names = names_of(db, {page for _, page in flow.places if page > 0})
        known = {number: name for number, name in names.items() if number is not None}
        return FlowAnswer(flow, known, sample)

    def _flow(
        self, db: sqlite3.Connection, asked: FlowQuestion, way: Way
    ) -> tuple[Flow, int]:
        """Count all transitions by column, or those of a sample, session by session."""
        if asked.sample <= 1:
            found = ask_columns(
                self, db, asked.window, asked.selector,
                lambda question: flow_in_columns(
                    question, way, asked.top, is_brief=asked.is_brief
                ),
            )  # fmt: skip
            if found is not None:
                return found, 1
        sample = asked.sample or choose_sample(self, db, asked.window, asked.selector)
        trails = self._trails(db, asked, sample)
        flow = flow_of(trails, **way._asdict(), top=asked.top)
        return _round_flow(flow), sample

    def _number(self, db: sqlite3.Connection, page: str) -> int:
        """Return the number of *page*; one that nobody visited has one that none has."""
        if not page:
            return 0
        found = db.execute("select id from strings where value = ?", (page,))
        row = found.fetchone()
        return int(row[0]) if row else 1 << 62

    def _trails(
        self, db: sqlite3.Connection, asked: FlowQuestion, sample: int
    ) -> Trails:
        statement = self._statement(asked.window.now)
        where = matching(statement, asked.window, asked.selector)
        weight = weights_of(statement, asked.selector).each
        trails = Trails()
        add = trails.add
        for session, page, dwell, each in db.execute(
            statement.text(
                "select s.id, coalesce(e.page, 0),"
                f" coalesce(e.dwell, {NO_DWELL}), {weight} from sessions as s"
                " cross join views as e on e.session = s.id"
                f" where {where} and {sampled(sample)}"
                " order by s.start, s.id, e.n"
            ),
            statement.values,
        ):
            add(session, page, dwell, each)
            if len(trails.pages) > MAX_VISITS:
                raise TooExpensive(
                    f"over {MAX_VISITS:,} visits; ask for less time, or a sample"
                )
        return trails

    # -- funnels -------------------------------------------------------------------

    def funnel(self, asked: FunnelQuestion) -> FunnelAnswer:
        """Count sessions step by step."""
        with self._bounded() as db:
            found = self._by_column(db, asked) if asked.sample <= 1 else None
            if found is not None:
                return found
            sample = asked.sample or choose_sample(
                self, db, asked.window, asked.selector
            )
            groups: dict[int | str, Funnel] = {}
            dropped: list[tuple[int, int]] = []
            for (start, session, label, weight), times in self._walks(
                db, asked, sample
            ):
                key = label if label in groups or len(groups) < MAX_GROUPS else OTHERS
                if key not in groups:
                    groups[key] = new_funnel(len(asked.steps))
                groups[key].add(times, sample * weight)
                if len(times) == asked.dropped:
                    heapq.heappush(dropped, (start, session))
                    if len(dropped) > asked.limit:
                        heapq.heappop(dropped)
            named = self._named(db, asked, groups)
            ids = [session for _, session in sorted(dropped, reverse=True)]
            items: list[Row] = self._items(db, ids, Search(asked.window))
        return FunnelAnswer(named, items, sample)

    def _by_column(
        self, db: sqlite3.Connection, asked: FunnelQuestion
    ) -> FunnelAnswer | None:
        steps = Steps(
            tuple((_scope(step), step) for step in asked.steps),
            asked.strict, asked.within, asked.by, asked.dropped, asked.limit,
        )  # fmt: skip
        _label(self._statement(asked.window.now), asked.by)
        found = ask_columns(
            self, db, asked.window, asked.selector,
            lambda question: funnel_in_columns(question, steps),
        )  # fmt: skip
        if found is None:
            return None
        items: list[Row] = self._items(db, found[1], Search(asked.window))
        return FunnelAnswer(self._named(db, asked, found[0]), items)

    def _walks(
        self, db: sqlite3.Connection, asked: FunnelQuestion, sample: int
    ) -> Iterator[tuple[tuple[int, int, int, float], Chain]]:
        """Yield each session that made the first step, and when it made which."""
        scopes = dict.fromkeys(_scope(step) for step in asked.steps)
        streams = [self._stream(db, asked, scope, sample) for scope in scopes]
        hits = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_moment)
        follow = walk_strictly if asked.strict else walk
        for key, group in groupby(hits, _session):
            did = ((at, bits) for _, _, _, _, at, bits in group)
            times = follow(did, len(asked.steps), asked.within)
            if times:
                yield key, times

    def _stream(
        self, db: sqlite3.Connection, asked: FunnelQuestion, scope: str, sample: int
    ) -> Stream:
        """Read what sessions did of one scope, and which steps that makes.

        The order is that of the sessions' index, so that no more is sorted and held than
        one session; by time where there are other scopes.
        """
        is_alone = all(_scope(step) == scope for step in asked.steps)
        order = "e.n" if is_alone else "e.at, e.n"
        statement = self._statement(asked.window.now)
        where = matching(statement, asked.window, asked.selector)
        makes = [
            f"({conditions.where(statement, step, scope)})"
            if _scope(step) == scope
            else "0"
            for step in asked.steps
        ]
        bits = " | ".join(
            f"(coalesce({each}, 0) << {n})" for n, each in enumerate(makes)
        )
        label = _label(statement, asked.by)
        weight = weights_of(statement, asked.selector).each
        any_of = "1" if asked.strict else f"({' or '.join(makes)})"
        found: Stream = db.execute(
            statement.text(
                f"select s.start, s.id, {label}, {weight}, e.at, {bits}"
                " from sessions as s"
                f" cross join {EVENTS[scope][0]} as e on e.session = s.id"
                f" where {where} and {sampled(sample)} and {any_of}"
                f" order by s.start, s.id, {order}"
            ),
            statement.values,
        )
        return found

    def _named(
        self,
        db: sqlite3.Connection,
        asked: FunnelQuestion,
        groups: dict[int | str, Funnel],
    ) -> list[tuple[str, Funnel]]:
        """Name the groups, largest first, and join all but some of them."""
        groups = {label: _round_funnel(funnel) for label, funnel in groups.items()}
        if not asked.by:
            return [("", groups.get(0) or new_funnel(len(asked.steps)))]
        order = sorted(
            groups.items(), key=lambda each: (-each[1].reached[0], str(each[0]))
        )
        numbers = {label for label, _ in order if isinstance(label, int)}
        names = _label_names(db, asked.by, numbers)
        kept: list[tuple[str, Funnel]] = []
        others = new_funnel(len(asked.steps))
        for label, funnel in order:
            if len(kept) < asked.groups and label != OTHERS:
                kept.append((names.get(label, ""), funnel))
            else:
                others.merge(funnel)
        return [*kept, (OTHERS, _round_funnel(others))] if others.reached[0] else kept


def _round_funnel(funnel: Funnel) -> Funnel:
    return Funnel(*(list(map(rounded, each)) for each in (funnel.reached, funnel.took)))


def _round_flow(flow: Flow) -> Flow:
    flow.sessions = rounded(flow.sessions)
    for each in (*flow.places.values(), *flow.edges.values()):
        each.count, each.sessions = rounded(each.count), rounded(each.sessions)
        each.dwell, each.dwelled = rounded(each.dwell), rounded(each.dwelled)
    return flow


def _scope(step: Compare) -> str:
    known = find(step.field)
    if known is None or known.scope not in EVENTS:
        raise BadRequest(f"{step.field!r} makes no step; page, action and error do")
    return known.scope


def _label(statement: Statement, by: str) -> str:
    """Return the number by which sessions are told apart; 0 where nothing is said."""
    if not by:
        return "0"
    known = find(by)
    if known is not None and known.scope == "attribute":
        name = statement.strings((by,))
        return (
            "coalesce((select a.value from attributes as a"
            f" where a.session = s.id and a.name in {name}), 0)"
        )
    if known is None or known.scope != "session" or not known.groups:
        raise BadRequest(f"a funnel cannot be told apart by {by!r}")
    return f"coalesce(s.{by}, 0)"


def _label_names(
    db: sqlite3.Connection, by: str, numbers: set[int]
) -> dict[int | str, str]:
    if by == "status":
        return dict(enumerate(STATUSES))
    if by == "source":
        return dict(db.execute("select id, name from sources").fetchall())
    return {key: name for key, name in names_of(db, numbers).items() if key is not None}
