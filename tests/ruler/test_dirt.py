"""What the indexer notes for rules: the past that it changed after they looked at it."""

from pathlib import Path

import pytest

from app.model import Context, Event, SessionKey
from app.sessions.fold import fold
from app.settings import Settings
from app.store import open_rulebook, open_writer
from app.store.dirt import Dirt
from tests.ruler.driver import MINUTE, minute

NOTES = [  # slot evaluated, minutes of new events, of those held → notes
    ("nothing was ever evaluated", 0, [5], [], []),
    ("events after the slot are news, not late", 10, [10, 11], [], []),
    ("an event before it is late", 10, [8], [7], [(8, 8)]),
    ("of several the range counts", 10, [6, 8, 12], [5], [(6, 8)]),
    ("a new first event moves all of the session", 10, [6], [9], [(6, 9)]),
    ("but not beyond what was evaluated", 10, [6], [15], [(6, 10)]),
]


@pytest.mark.parametrize(
    ("covered", "new", "held", "expected"),
    [each[1:] for each in NOTES],
    ids=[each[0] for each in NOTES],
)
def test_notes(
    covered: int,
    new: list[int],
    held: list[int],
    expected: list[tuple[int, int]],
    tmp_path: Path,
) -> None:
    """Only what changes an evaluated past is noted, as a range."""
    settings = Settings(index=tmp_path / "skald.db")
    open_writer(settings).close()
    book = open_rulebook(settings)
    if covered:
        book.begin("g", minute(covered))

    write(book, settings, new, held)

    found = [(each.since, each.until) for each in book.dirt()]
    book.close()
    assert found == [(minute(since), minute(until)) for since, until in expected]


def test_what_is_soiled_again_is_not_forgotten(tmp_path: Path) -> None:
    """A note that grew since it was read stays, or a late line would be lost."""
    settings = Settings(index=tmp_path / "skald.db")
    open_writer(settings).close()
    book = open_rulebook(settings)
    book.begin("g", minute(10))
    write(book, settings, [8], [7])
    read = book.dirt()

    write(book, settings, [8], [7])
    book.clean(read)

    again = book.dirt()
    book.clean(again)
    assert ([each.seen for each in again], book.dirt()) == ([2], [])
    book.close()


def write(book: object, settings: Settings, new: list[int], held: list[int]) -> None:
    """Do what the writer does in the transaction of a batch."""
    events = [event(each) for each in new]
    everything = [*events, *(event(each) for each in held)]
    session = fold(SessionKey("s", "a", "1"), everything, {0: Context()})
    with book._transaction() as db:  # type: ignore[attr-defined]
        dirt = Dirt(db, settings.tenant)
        dirt.add(events, session)
        dirt.write(db)


def event(number: int) -> Event:
    """Build what happened in that minute."""
    at = minute(number)
    return Event(number, (at + MINUTE // 60) * 1_000, at, 4, 0)
