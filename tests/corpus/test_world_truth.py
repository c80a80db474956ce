"""The index says of a simulated world exactly what is true of it, whatever happened.

Truth is told by the simulation and never read from its lines. Set ``SKALD_WORLDS`` to
read more worlds than a usual run does.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from app.demo.world import Counts, Mischief, Person, SessionTruth, World
from app.model import Context, Session
from tests.driver import Index
from tests.worlds import Told, told_world

DIALECTS = ("alloy", "mixed", "otel", "json")
MISCHIEF = {
    "none": Mischief(),
    "delivered late": Mischief(backdated=0.1),
    "stamped late": Mischief(late=0.1),
    "repeated": Mischief(duplicates=0.2, identical=0.2),
    "reordered": Mischief(shuffled=0.4),
    "skewed": Mischief(skewed=0.4),
    "bursts": Mischief(burst_every=20, burst_lines=1_500),
    "broken": Mischief(broken=3),
    "all": Mischief(
        late=0.05, backdated=0.05, duplicates=0.05, identical=0.03, shuffled=0.2,
        skewed=0.1, burst_every=25, burst_lines=500, broken=1,
    ),
}  # fmt: skip
USUAL = len(MISCHIEF)
WORLDS = int(os.environ.get("SKALD_WORLDS", USUAL))
TRUSTED_MS = 60_000  # a delay of that much tells of a wrong clock
VITALS = ("lcp", "inp", "cls", "ttfb", "fcp")
SYSTEMS = {"Mac OS": "macOS"}  # as people call it
REASONS = {
    Counts.UNREADABLE: {"malformed", "not_faro"},
    Counts.NO_SESSION: {"no_session"},
    Counts.UNKNOWN: {"unknown_kind"},
}


def world_of(number: int) -> tuple[str, Mischief, World]:
    """Return the world of that number: each mischief in turn, each in each dialect."""
    name = list(MISCHIEF)[number % len(MISCHIEF)]
    dialect = DIALECTS[(number + number // len(MISCHIEF)) % len(DIALECTS)]
    mischief = MISCHIEF[name]
    world = World(
        100 + number, sessions_per_hour=60, dialect=dialect, mischief=mischief
    )
    return name, mischief, world


@pytest.fixture(
    scope="module",
    params=range(WORLDS),
    ids=lambda number: f"{number}-{world_of(number)[0]}".replace(" ", "-"),
)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mischief, World, Told]]:
    """Return a world once the indexer has followed it to its end."""
    _, mischief, here = world_of(request.param)
    path = tmp_path_factory.mktemp("world") / "skald.db"
    with told_world(here, path) as told:
        yield mischief, here, told


World_ = tuple[Mischief, World, Told]


def test_every_session_is_as_it_was(world: World_) -> None:
    """Not one field of one session is wrong."""
    _, _, told = world
    wrong = [
        (truth.session_id, name, true, found)
        for truth in told.truths
        for name, (true, found) in compared(told.index, truth).items()
        if true != found
    ]

    assert wrong == []
    assert len(told.truths) > 20


def test_times_are_exact_but_for_what_nobody_can_know(world: World_) -> None:
    """Start and end are exact; a skewed clock is right to the quickest delivery."""
    _, _, told = world
    for truth in told.truths:
        session = told.index.session(truth.session_id, truth.app)
        quickest = truth.first_received_ns // 10**6 - truth.start_ms
        found = session.start - truth.start_ms, session.end - truth.end_ms
        if truth.skew_ms:
            assert found[0] == found[1]  # the whole of it is shifted by one delay
            assert 0 <= found[0] <= max(quickest, 40 * 60_000)
        elif quickest < TRUSTED_MS:
            assert found == (0, 0), truth.session_id


def test_list_shows_what_the_session_says(world: World_) -> None:
    """The columns of a search are those of the session."""
    _, _, told = world
    rows = {(row["app"], row["id"]): row for row in told.index.rows()}
    wrong = []
    for truth in told.truths:
        row = rows[truth.app, truth.session_id]
        session = told.index.session(truth.session_id, truth.app)
        wrong += [
            (truth.session_id, name, row[name], value)
            for name, value in listed(session).items()
            if (row[name] or "") != (value or "")
        ]

    assert wrong == []


def test_broken_lines_are_counted_by_reason(world: World_) -> None:
    """What cannot be used is counted, under the reason for it, and stops nothing."""
    mischief, here, told = world
    broken = list(here.broken(told.since, told.until))
    true = Counter(each.counts for each in broken)
    (source,) = told.index.reader.sources()
    found = {
        counts: sum(source.dropped.get(reason, 0) for reason in reasons)
        for counts, reasons in REASONS.items()
    }

    if mischief.backdated:  # lines are counted again when they are read again
        assert all(found[counts] >= true[counts] for counts in REASONS)
    else:
        assert found == {counts: true[counts] for counts in REASONS}
        assert source.entries == told.entries
    for each in broken:
        if each.counts is Counts.SESSION:
            assert told.index.session(each.session_id, each.app).events == 1


def compared(index: Index, truth: SessionTruth) -> dict[str, tuple[Any, Any]]:
    """Return, by field, what is true and what the index says."""
    session = index.session(truth.session_id, truth.app)
    context = session.context
    loads = [view for view in session.views if view.is_load]
    users = tuple(dict.fromkeys(name_of(person) for person in truth.users))
    return {
        "environment": (truth.environment, context.environment),
        "version": (truth.version, context.version),
        "pages": (list(truth.pages), [view.page for view in session.views]),
        "views": (truth.views, session.view_count),
        "loads": (truth.page_loads, len(loads)),
        "entry": (truth.entry, session.entry),
        "exit": (truth.exit, session.exit),
        "errors": (truth.errors, session.errors),
        "log errors": (truth.error_logs, session.log_errors),
        "requests": (truth.resources, session.resources),
        "failed": (truth.api_errors, session.failed_requests),
        "actions": (truth.actions + truth.events, session.action_count),
        "users": (users, session.users),
        "user": (name_of(truth.user), user_of(context)),
        "browser": (truth.browser.removeprefix("Mobile "), context.browser),
        "browser version": (truth.browser_version, context.browser_version),
        "os": (system_of(truth.os), context.os),
        "device": (truth.device, context.device),
        "language": (truth.language, context.language),
        "country": (truth.country if truth.has_geo else "", context.country),
        "previous": (truth.previous_session, context.previous),
        "vitals": (vitals_told(truth), vitals_found(session)),
        "lines": (truth.lines, session.events),
    }


def name_of(person: Person | None) -> str:
    """Return what tells a user from others."""
    return "" if person is None else person.id or person.email or person.username


def user_of(context: Context) -> str:
    """Return what tells the last user from others."""
    return context.user_id or context.user_email or context.user_name


def system_of(told: str) -> str:
    """Return the family of what the SDK says: all but its last word."""
    family = told.rpartition(" ")[0]
    return SYSTEMS.get(family, family)


def vitals_told(truth: SessionTruth) -> list[tuple[str, ...]]:
    """Return the vitals of each load that has some.

    A session that began at logout still gets those of the page that it left at once.
    """
    told = [
        (each.path, *(getattr(each, name) for name in VITALS))
        for each in truth.vitals
        if each.path in truth.pages
    ]
    return [each for each in told if any(value is not None for value in each[1:])]


def vitals_found(session: Session) -> list[tuple[str, ...]]:
    """Return the vitals of each view that has some."""
    found = [
        (view.page, *(getattr(view, name) for name in VITALS)) for view in session.views
    ]
    return [each for each in found if any(value is not None for value in each[1:])]


def listed(session: Session) -> dict[str, object]:
    """Return what a row of the list holds, by the names of its columns."""
    context = session.context
    return {
        "start": session.start,
        "end": session.end,
        "duration": session.end - session.start,
        "views": session.view_count,
        "actions": session.action_count,
        "errors": session.errors,
        "log_errors": session.log_errors,
        "failed_requests": session.failed_requests,
        "resources": session.resources,
        "events": session.events,
        "entry": session.entry,
        "exit": session.exit,
        "status": session.status.name.lower(),
        "user": user_of(context),
        "environment": context.environment,
        "version": context.version,
        "browser": context.browser,
        "os": context.os,
        "device": context.device,
        "country": context.country,
        "language": context.language,
        "referrer": context.referrer,
        "previous": context.previous,
    }
