"""Ids flooding in end in a limit with a counter, and what is known goes on."""

from app.model import Entry
from app.store.newcomers import MINUTES
from app.store.seam import Progress
from app.store.writer import SqliteWriter
from tests.build import js_error, page_load
from tests.driver import decode
from tests.store.engines import Engine

MOST = 3


def visits(*names: str, at: str = "12:00") -> list[Entry]:
    """Return the first line of each session, all received in the same minute."""
    return [entry for name in names for entry in page_load(name, at)]


def opened(engine: Engine) -> SqliteWriter:
    """Open the index of a source that lets few sessions begin in a minute."""
    writer = engine.writer()
    assert isinstance(writer, SqliteWriter)
    writer.ingest("faro", decode([]), Progress(0))
    writer.declare("faro", 900_000, 100, max_new_sessions=MOST)
    return writer


def test_a_flood_of_ids_ends_in_a_limit(engine: Engine) -> None:
    """The first sessions of a minute are kept, those over the limit are counted."""
    writer = opened(engine)
    flood = visits(*(f"s{number}" for number in range(10)))
    lines = len(decode(visits("s0")).events["shop", "s0"])

    writer.ingest("faro", decode(flood[: len(flood) // 2]), Progress(1))
    writer.ingest("faro", decode(flood[len(flood) // 2 :]), Progress(2))

    reader = engine.reader()
    assert reader.size()["sessions"] == MOST
    assert reader.sources()[0].dropped == {"too_many_sessions": (10 - MOST) * lines}


def test_known_sessions_go_on_in_a_flood(engine: Engine) -> None:
    """They are nothing new; and the next minute has room again."""
    writer = opened(engine)
    writer.ingest("faro", decode(visits("a", "b", "c", "d")), Progress(1))

    more = [*js_error("a", "12:00:30"), *visits("e", at="12:01")]
    writer.ingest("faro", decode(more), Progress(2))

    reader = engine.reader()
    known = reader.session("shop", "a")
    assert known is not None
    assert known.errors == 1
    assert reader.session("shop", "d") is None
    assert reader.session("shop", "e") is not None


def test_a_flood_of_an_hour_ends_in_a_limit(engine: Engine) -> None:
    """Minutes of an hour share a limit too, also across transactions and a crash."""
    writer = opened(engine)
    for minute in range(8):
        names = [f"s{minute}-{number}" for number in range(MOST + 1)]
        lines = visits(*names, at=f"12:{minute:02}")
        writer.ingest("faro", decode(lines), Progress(minute))
        if minute == MINUTES // 2:
            writer.close()
            writer = opened(engine)
    assert engine.reader().size()["sessions"] == MOST * MINUTES

    writer.ingest("faro", decode(visits("next", at="13:00")), Progress(9))
    assert engine.reader().session("shop", "next") is not None


def test_a_flood_read_again_changes_nothing(engine: Engine) -> None:
    """Neither a crash nor a second reading lets in who was refused."""
    writer = opened(engine)
    flood = visits("a", "b", "c", "d", "e")
    writer.ingest("faro", decode(flood), Progress(1))
    writer.close()

    again = opened(engine)
    again.ingest("faro", decode(flood), Progress(1))

    reader = engine.reader()
    found = [name for name in "abcde" if reader.session("shop", name)]
    assert found == ["a", "b", "c"]
