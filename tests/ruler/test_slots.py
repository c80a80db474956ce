"""Slots: which are due, which are made up, which are evaluated again."""

import pytest

from app.ruler.slots import Due, due_slots, ready_until, soiled_slots

S, M, H = 1_000, 60_000, 3_600_000

DUE = [  # interval, last, until, catch-up → slots, given up
    ("nothing was evaluated yet: one slot, the newest", M, 0, 10 * M, 5, (10 * M,), 0),
    ("a slot falls due at its own time", M, 9 * M, 10 * M, 5, (10 * M,), 0),
    ("not a millisecond before", M, 9 * M, 10 * M - 1, 5, (), 0),
    ("twice is once", M, 10 * M, 10 * M, 5, (), 0),
    ("a clock that goes back asks for nothing", M, 10 * M, 4 * M, 5, (), 0),
    ("between two slots nothing is due", M, 10 * M, 10 * M + 59_999, 5, (), 0),
    ("a late look is still one slot", M, 9 * M, 10 * M + 59_999, 5, (10 * M,), 0),
    ("a missed slot is made up", M, 8 * M, 10 * M, 5, (9 * M, 10 * M), 0),
    (
        "as many as may be made up",
        M,
        4 * M,
        10 * M,
        5,
        tuple(range(5 * M, 11 * M, M)),
        0,
    ),
    ("one more is given up", M, 3 * M, 10 * M, 5, tuple(range(5 * M, 11 * M, M)), 1),
    ("many are given up", M, M, 1_000 * M, 2, (998 * M, 999 * M, 1_000 * M), 996),
    ("nothing is made up", M, M, 10 * M, 0, (10 * M,), 8),
    ("slots of an hour", H, H, 3 * H + 5, 5, (2 * H, 3 * H), 0),
    ("slots of seconds", S, 5 * S, 7 * S, 5, (6 * S, 7 * S), 0),
    ("slots that divide no minute", 7 * S, 14 * S, 22 * S, 5, (21 * S,), 0),
    ("a shorter interval goes on where it can", M, 90 * S, 3 * M, 5, (2 * M, 3 * M), 0),
    ("a longer interval goes on at its own slots", H, H + 5 * M, 2 * H, 5, (2 * H,), 0),
    ("before the epoch's first slot there is none", M, 0, M - 1, 5, (), 0),
]


@pytest.mark.parametrize(
    ("interval", "last", "until", "catch_up", "slots", "missed"),
    [each[1:] for each in DUE],
    ids=[each[0] for each in DUE],
)
def test_due_slots(
    interval: int, last: int, until: int, catch_up: int, slots: tuple[int], missed: int
) -> None:
    """The slots after the last one are due; of those missed, the newest are made up."""
    due = due_slots(interval, last, until, catch_up)

    assert due == Due(slots, missed)


READY = [  # now, offset, indexed, patience → until
    ("no source: the offset alone", 100, 10, None, 50, 90),
    ("a source that is ahead", 100, 10, 95, 50, 90),
    ("a source that is just there", 100, 10, 90, 50, 90),
    ("a source that is behind is waited for", 100, 10, 70, 50, 70),
    ("but not for ever", 100, 10, 20, 50, 40),
    ("no patience, no waiting", 100, 10, 20, 0, 90),
    ("no offset", 100, 0, 100, 50, 100),
    ("a source from the future changes nothing", 100, 10, 900, 50, 90),
]


@pytest.mark.parametrize(
    ("now", "offset", "indexed", "patience", "until"),
    [each[1:] for each in READY],
    ids=[each[0] for each in READY],
)
def test_ready_until(
    now: int, offset: int, indexed: int | None, patience: int, until: int
) -> None:
    """A slot waits for its offset and for the sources, the latter with patience."""
    assert ready_until(now, offset, indexed, patience) == until


SOILED = [  # interval, since, until, reach, last → slots
    ("an event changes the slots that look at it, and one more", M, 10 * M, 10 * M, 2 * M,
     60 * M, (11, 12, 13)),
    ("an event inside a slot's minute", M, 10 * M + 1, 10 * M + 1, M, 60 * M, (11, 12)),
    ("never a slot that was not evaluated", M, 10 * M, 10 * M, 5 * M, 12 * M, (11, 12)),
    ("an event after the last slot changes none", M, 10 * M, 10 * M, 5 * M, 10 * M, ()),
    ("a range of events", M, 10 * M, 12 * M, M, 60 * M, (11, 12, 13, 14)),
    ("a rule that looks back less than its interval", 5 * M, 11 * M, 11 * M, M, 60 * M,
     (15,)),
    ("an event at the end of a slot belongs to the next", 5 * M, 10 * M, 10 * M, M,
     60 * M, (15,)),
    ("slots of an hour", 60 * M, 61 * M, 61 * M, 60 * M, 600 * M, (120, 180)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "since", "until", "reach", "last", "minutes"),
    [each[1:] for each in SOILED],
    ids=[each[0] for each in SOILED],
)
def test_soiled_slots(
    interval: int, since: int, until: int, reach: int, last: int, minutes: tuple[int]
) -> None:
    """What came late changes the slots whose rules look at it; others stay."""
    found = soiled_slots(interval, since, until, reach, last)

    assert found == tuple(each * M for each in minutes)


def test_every_slot_is_a_multiple_of_its_interval() -> None:
    """Whatever the interval and the time, slots are aligned and each comes once."""
    for interval in (S, 7 * S, M, 90 * S, H):
        last, seen = 0, []
        for now in range(3 * H, 3 * H + 20 * M, 13_337):
            due = due_slots(interval, last, now, 10_000)
            seen += due.slots
            last = due.slots[-1] if due.slots else last

        assert all(slot % interval == 0 for slot in seen)
        assert seen == list(range(seen[0], seen[-1] + 1, interval))
