"""When a session is still active."""

from app.sessionql.plan import Compare, Leaf, Window
from tests.build import DAY, HOUR, MINUTE, log, page_load
from tests.driver import Index

ACTIVE = Leaf("count", selector=Compare("active", "=", (True,)))


def active(index: Index, now: int) -> int:
    """Count the sessions that are active at that time."""
    window = Window(DAY, DAY + 24 * HOUR, 0, now)
    return int(sum(value or 0 for _, _, value in index.reader.evaluate(ACTIVE, window)))


def test_session_is_active_until_its_timeout(index: Index) -> None:
    """A quarter of an hour without an event ends it."""
    index.feed(page_load("s1", at="10:00"))
    index.run("10:01")

    assert active(index, DAY + 10 * HOUR + 14 * MINUTE) == 1
    assert active(index, DAY + 10 * HOUR + 16 * MINUTE) == 0


def test_session_is_active_for_four_hours_at_most(index: Index) -> None:
    """However lively it is, a session of that age is over."""
    index.feed(page_load("s1", at="10:00"))
    for minutes in range(0, 250, 10):
        at = DAY + 10 * HOUR + minutes * MINUTE
        index.feed(log("s1", at=at, message=f"still here {minutes}"))
    index.run("14:30")

    assert active(index, DAY + 13 * HOUR + 59 * MINUTE) == 1
    assert active(index, DAY + 14 * HOUR + 5 * MINUTE) == 0
