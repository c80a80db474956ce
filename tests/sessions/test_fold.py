"""A session is a pure function of the set of its events."""

import random
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import Context, Event, Kind, Session, SessionKey, Status
from app.sessions.fold import cut, fold, merge
from tests.build import DAY
from tests.corpus.corpus import entries
from tests.driver import decode

KEY = SessionKey("faro", "shop", "s1")
PAGES = ("", "/", "/cart", "/checkout")
CONTEXTS = {
    n: Context(app="shop", page=page, url=page, user_id=user, browser=browser)
    for n, (page, user, browser) in enumerate(
        (page, user, browser)
        for page in PAGES
        for user in ("", "u-1", "u-2")
        for browser in ("", "Chrome")
    )
}
HOUR_MS = 3_600_000
AT = st.one_of(
    st.integers(DAY, DAY + HOUR_MS),
    st.integers(DAY, DAY + 5),
    st.sampled_from([0, 1, DAY - 30 * 24 * HOUR_MS, DAY + 90 * 24 * HOUR_MS]),
)
FACTS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "message": st.sampled_from(["a", "b 1", "b 2"]),
            "nav": st.sampled_from(["n1", "n2", "unknown", ""]),
            "status": st.sampled_from([200, 404, 500]),
            "trigger": st.just("pointerdown"),
            "fatal": st.just(value=True),
        },
    ),
)
EVENT = st.builds(
    Event,
    key=st.integers(1, 40),
    received=st.integers(DAY * 1_000, (DAY + HOUR_MS) * 1_000),
    at=AT,
    kind=st.sampled_from([int(kind) for kind in Kind]),
    context=st.sampled_from(sorted(CONTEXTS)),
    name=st.sampled_from(["start", "resume", "extend", "lcp", "cls", "add", "error"]),
    value=st.one_of(st.none(), st.floats(0, 9_000)),
    facts=FACTS,
)


def once(events: list[Event]) -> list[Event]:
    """Keep one event a key: equal keys mean equal events, but for their receipt."""
    return list({event.key: event for event in events}.values())


EVENTS = st.lists(EVENT, min_size=1, max_size=40).map(once)


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_makes_no_difference(events: list[Event], dice: random.Random) -> None:
    """Events in any order are the same session."""
    shuffled = events[:]
    dice.shuffle(shuffled)

    assert fold(KEY, shuffled, CONTEXTS) == fold(KEY, events, CONTEXTS)


@given(EVENTS, st.randoms(use_true_random=False))
def test_pieces_and_repeats_make_no_difference(
    events: list[Event], dice: random.Random
) -> None:
    """Events in pieces, some of them twice and later, are the same session."""
    late = [later(event) for event in dice.sample(events, len(events) // 2)]
    coming = [*events, *late]
    dice.shuffle(coming)
    known: list[Event] = []
    while coming:
        size = dice.randrange(1, 9)
        known = merge(known, coming[:size])
        del coming[:size]

    assert fold(KEY, known, CONTEXTS) == fold(KEY, events, CONTEXTS)


def later(event: Event) -> Event:
    """Receive an event again, a second later."""
    return Event(event.key, event.received + 1_000_000, *tuple_of(event)[2:])


def tuple_of(event: Event) -> tuple[object, ...]:
    """Return an event's fields."""
    return tuple(getattr(event, name) for name in Event.__struct_fields__)


def as_set(events: list[Event]) -> dict[int, tuple[object, ...]]:
    """Return events by key."""
    return {event.key: tuple_of(event) for event in events}


@given(EVENTS, EVENTS, EVENTS)
def test_merge_is_a_union(
    first: list[Event], second: list[Event], third: list[Event]
) -> None:
    """Who is united with whom first makes no difference, nor does twice."""
    known = {event.key: event for event in (*first, *second, *third)}
    groups = [
        [
            Event(event.key, event.received, *tuple_of(known[event.key])[2:])
            for event in each
        ]
        for each in (first, second, third)
    ]
    one, two, three = groups

    assert as_set(merge(one, two)) == as_set(merge(two, one))
    assert as_set(merge(merge(one, two), three)) == as_set(
        merge(one, merge(two, three))
    )
    assert as_set(merge(one, one)) == as_set(one)


@given(EVENTS, st.integers(1, 30), st.randoms(use_true_random=False))
def test_cut_depends_on_the_set_alone(
    events: list[Event], limit: int, dice: random.Random
) -> None:
    """The first received stay, however they came; cutting again changes nothing."""
    whole, is_cut = cut(events[:], limit)
    coming = events[:]
    dice.shuffle(coming)
    known: list[Event] = []
    for event in coming:
        known, _ = cut(merge(known, [event]), limit)

    assert as_set(known) == as_set(whole)
    assert is_cut == (len(events) > limit)


@given(EVENTS)
def test_session_is_consistent(events: list[Event]) -> None:
    """Times ascend, counts are those of the lists, entry and exit are views."""
    session = fold(KEY, events, CONTEXTS)
    ats = [view.at for view in session.views]

    assert session.start <= session.end
    assert session.events == len(events)
    assert len(session.views) == session.view_count
    assert len(session.actions) == session.action_count
    assert len(session.error_list) == session.errors
    assert (session.entry, session.exit) == (
        (session.views[0].page, session.views[-1].page) if ats else ("", "")
    )
    assert all(view.dwell is None or view.dwell >= 0 for view in session.views)
    assert [view.dwell is None for view in session.views[-1:]] == [True] * bool(ats)
    assert list(session.minutes) == sorted(session.minutes)
    assert session.minutes[0] == session.start // 60_000
    assert (session.status == Status.HEALTHY) == (session.errors == 0)
    assert all(action.at - session.start >= 0 for action in session.actions)


@given(EVENTS)
def test_users_are_all_that_were_named(events: list[Event]) -> None:
    """Every user is listed once; the last one is the session's."""
    session = fold(KEY, events, CONTEXTS)
    named = {CONTEXTS[event.context].user_id for event in events} - {""}

    assert set(session.users) == named
    assert len(session.users) == len(named)
    assert (session.context.user_id or "") in (named or {""})
    assert bool(session.context.user_id) == bool(named)


@cache
def corpus() -> list[Session]:
    """Return the sessions of the recorded corpus."""
    batch = decode(entries("lines"))
    return [
        fold(SessionKey("faro", *address), events, batch.contexts)
        for address, events in batch.events.items()
    ]


@pytest.mark.parametrize("hours", [-26, -1, 1, 37])
@settings(max_examples=5)
@given(data=st.data())
def test_a_wrong_clock_changes_nothing_but_the_skew(
    hours: int, data: st.DataObject
) -> None:
    """A browser whose clock is hours off has the session that it would have had."""
    batch = decode(entries("lines"))
    address = data.draw(st.sampled_from(sorted(batch.events)))
    events, key = batch.events[address], SessionKey("faro", *address)
    off = [
        Event(e.key, e.received, e.at + hours * HOUR_MS, *tuple_of(e)[3:])
        for e in events
    ]
    true, found = fold(key, events, batch.contexts), fold(key, off, batch.contexts)

    assert [view.page for view in found.views] == [view.page for view in true.views]
    assert found.end - found.start == true.end - true.start
    assert abs(found.start - true.start) < 2_500
    assert found.clamped == true.clamped


def test_views_of_the_corpus_follow_one_another() -> None:
    """Each view lasts until the next begins."""
    for session in corpus():
        for view, following in pairwise(session.views):
            assert view.dwell == max(0, following.at - view.at)
