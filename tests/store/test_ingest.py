"""What any engine promises to those who write: once is once, all or nothing."""

import random
from typing import Any

import pytest

from app.demo.world import World
from app.errors import LeaseLost
from app.events.decoder import Batch
from app.sessionql.filters import Compare
from app.store.seam import JobStatus, Progress, Reader, Search, Writer
from tests.build import HOUR, action, js_error, log, page_load
from tests.driver import WHOLE, decode, pages_of
from tests.store.engines import Engine
from tests.store.town import lines
from tests.worlds import NOON

HOUR_NS = 3_600 * 10**9


def all_of(reader: Reader) -> dict[str, Any]:
    """Return everything that a reader can tell of every session."""
    return {
        row["id"]: (row, reader.session(row["app"], row["id"]))
        for row in pages_of(reader, Search(WHOLE, limit=500))
    }


def write(writer: Writer, *entries: Any, **progress: Any) -> Any:
    """Write lines as one batch."""
    told = [each for group in entries for each in group]
    known = Progress(**{"cursor": 0, **progress})
    return writer.ingest("faro", decode(told), known)


def test_twice_is_once(engine: Engine) -> None:
    """The same batch again changes no session, and says that nothing was new."""
    writer, told = engine.writer(), lines()[0]
    first = write(writer, told)
    before = all_of(engine.reader())

    again = write(writer, told)

    assert (again.events, again.created, again.sessions) == (0, 0, 0)
    assert again.repeated == first.events + first.repeated
    assert all_of(engine.reader()) == before


def test_texts_that_are_kept_alike_stop_nothing(engine: Engine) -> None:
    """What cannot be kept is replaced; two users or attributes may be one then."""
    writer = engine.writer()
    done = write(
        writer,
        page_load("s1", "10:00:00", user_id="a\0", **{"session_attr_b\0": "1"}),
        page_load("s1", "10:01:00", user_id="a\ufffd", **{"session_attr_b\ufffd": "2"}),
        page_load("s1", "10:02:00", user_id="last"),
    )  # fmt: skip

    assert (done.created, done.dropped) == (1, {})
    found = engine.reader().search(Search(WHOLE, Compare("user", "=", ("a\ufffd",))))
    assert [row["id"] for row in found.items] == ["s1"]


@pytest.mark.parametrize("seed", range(3))
def test_order_and_pieces_do_not_matter(engine: Engine, seed: int) -> None:
    """Shuffled, cut into batches, some of it twice: the same sessions."""
    told = list(lines()[0])
    write(engine.writer("orderly"), told)
    dice = random.Random(seed)
    dice.shuffle(told)
    told += dice.sample(told, 300)
    writer = engine.writer("messy")
    while told:
        size = dice.randrange(1, 900)
        write(writer, told[:size])
        del told[:size]

    assert all_of(engine.reader("messy")) == all_of(engine.reader("orderly"))


def test_what_it_did_is_told(engine: Engine) -> None:
    """New and repeated events, touched and created sessions are counted."""
    writer = engine.writer()
    first = write(writer, page_load("s1", "10:00"), page_load("s2", "10:00"))
    second = write(writer, page_load("s1", "10:00"), js_error("s1", "10:01"))

    assert (first.events, first.sessions, first.created) == (4, 2, 2)
    assert (second.events, second.repeated) == (1, 2)
    assert (second.sessions, second.created) == (1, 0)


def test_cursor_and_rows_are_committed_together(engine: Engine) -> None:
    """When the last step fails, nothing of the batch is there, and all of it later."""
    writer = engine.writer()
    write(writer, page_load("s1", "10:00"), cursor=1, counts={5: 2}, notes={"a": 1})
    before = all_of(engine.reader()), told_of(writer)
    batch = decode([*page_load("s2", "10:00"), *js_error("s1", "10:01")])
    hopeless = Progress(cursor=9, counts={6: 1}, notes={"b": object()})

    with pytest.raises(TypeError):
        writer.ingest("faro", batch, hopeless)
    assert (all_of(engine.reader()), told_of(writer)) == before

    writer.ingest("faro", batch, Progress(cursor=9, counts={6: 1}, notes={"b": 2}))
    assert all_of(engine.reader()).keys() == {"s1", "s2"}
    assert told_of(writer) == (9, {"b": 2}, {5: 2, 6: 1})


def told_of(writer: Writer) -> tuple[int, dict[str, Any], dict[int, int]]:
    """Return how far a source has been read, by all that says so."""
    return writer.cursor("faro"), writer.notes("faro"), writer.counts("faro", 0, 100)


def test_cursor_never_goes_back(engine: Engine) -> None:
    """Reading an old range again does not make the source be read anew."""
    writer = engine.writer()
    write(writer, cursor=HOUR_NS)
    write(writer, page_load("s1", "10:00"), cursor=5)

    assert writer.cursor("faro") == HOUR_NS
    assert writer.cursor("another") == 0


def test_counts_are_of_whole_seconds(engine: Engine) -> None:
    """Counts replace what was held, go when they are settled, and never add up."""
    writer = engine.writer()
    write(writer, cursor=10, counts={1: 5, 2: 7, 3: 1})
    write(writer, cursor=20, counts={3: 4, 4: 2}, since=10)
    assert writer.counts("faro", 0, 9) == {1: 5, 2: 7, 3: 4, 4: 2}
    assert writer.counts("faro", 1, 3) == {2: 7, 3: 4}

    write(writer, cursor=30, settled=2)
    assert writer.counts("faro", 0, 9) == {3: 4, 4: 2}


def test_counts_of_who_is_not_at_the_cursor_replace_nothing(engine: Engine) -> None:
    """Two that read at once, or one that reads again, leave the counts right."""
    writer = engine.writer()
    write(writer, cursor=100, counts={1: 5, 2: 7})

    write(writer, cursor=50, counts={2: 3, 3: 1}, since=40)

    assert writer.counts("faro", 0, 9) == {1: 5, 2: 7, 3: 1}


def test_lines_are_counted_by_source_and_reason(engine: Engine) -> None:
    """What was read, understood and dropped adds up."""
    writer = engine.writer()
    for _ in range(2):
        batch = decode(page_load("s1", "10:00"))
        batch.drop("malformed")
        batch.drop("no_session")
        batch.drop("malformed")
        writer.ingest("faro", batch, Progress(0))
    (source,) = engine.reader().sources()

    assert (source.entries, source.decoded) == (4, 4)
    assert source.dropped == {"malformed": 4, "no_session": 2}


def test_sources_are_apart(engine: Engine) -> None:
    """The same id in two sources is two sessions."""
    writer = engine.writer()
    batch = decode(page_load("s1", "10:00"))
    writer.ingest("web", batch, Progress(1))
    writer.ingest("mobile", batch, Progress(2))
    rows = list(pages_of(engine.reader(), Search(WHOLE)))

    assert sorted(row["source"] for row in rows) == ["mobile", "web"]
    assert [each.cursor for each in engine.reader().sources()] == [2, 1]


def test_same_id_in_two_apps_is_two_sessions(engine: Engine) -> None:
    """An id is unique in its app, and there alone."""
    docs = page_load("s1", "10:00", app_name="docs")
    write(engine.writer(), page_load("s1", "10:00"), docs)

    assert engine.reader().session("docs", "s1") != engine.reader().session(
        "shop", "s1"
    )
    assert len(list(pages_of(engine.reader(), Search(WHOLE)))) == 2


def test_session_has_a_bound(engine: Engine) -> None:
    """Of a session that never ends the first events are kept, in whatever order."""
    writer = engine.writer()
    writer.declare("faro", 900_000, 50)
    told = [log("s1", 1_795_168_800_000 + n, f"turn {n}")[0] for n in range(200)]
    random.Random(1).shuffle(told)
    for start in range(0, 200, 30):
        write(writer, told[start : start + 30])
    session = engine.reader().session("shop", "s1")

    assert session is not None
    assert (session.events, session.is_cut) == (50, True)
    assert session.end - session.start == 49


# -- leases ------------------------------------------------------------------------


def test_one_holds_a_lease(engine: Engine) -> None:
    """Of two that want a lease one gets it, and keeps it by asking again."""
    writer = engine.writer()

    assert writer.acquire("jobs", "first", now=0, duration=10)
    assert not writer.acquire("jobs", "second", now=9, duration=10)
    assert writer.acquire("jobs", "first", now=9, duration=10)
    assert not writer.acquire("jobs", "second", now=15, duration=10)


def test_silent_one_loses_its_lease(engine: Engine) -> None:
    """A lease that is not renewed goes to whoever asks next; given back, at once."""
    writer = engine.writer()
    writer.acquire("jobs", "first", now=0, duration=10)

    assert writer.acquire("jobs", "second", now=10, duration=10)
    assert not writer.acquire("jobs", "first", now=11, duration=10)
    writer.release("jobs", "first")  # is not its to give
    assert not writer.acquire("jobs", "first", now=12, duration=10)
    writer.release("jobs", "second")
    assert writer.acquire("jobs", "first", now=12, duration=10)


def test_without_its_lease_nothing_is_written(engine: Engine) -> None:
    """Whoever lost the lease in the middle of its work writes not one row."""
    writer = engine.writer()
    batch = decode(page_load("s1", "10:00"))
    writer.acquire("jobs", "first", now=0, duration=10)
    writer.acquire("jobs", "second", now=10, duration=10)

    with pytest.raises(LeaseLost, match="another scheduler"):
        writer.ingest("faro", batch, Progress(7), ("jobs", "first"))
    assert writer.cursor("faro") == 0
    assert all_of(engine.reader()) == {}

    writer.ingest("faro", batch, Progress(7), ("jobs", "second"))
    assert all_of(engine.reader()).keys() == {"s1"}


# -- jobs --------------------------------------------------------------------------


def test_jobs_are_remembered(engine: Engine) -> None:
    """Runs, failures and missed runs add up; the rest is that of the last run."""
    writer = engine.writer()
    writer.record(JobStatus("index faro", 1, 1, 0, 100, 30, "Loki is away"))
    writer.record(JobStatus("index faro", 0, 0, 1, 0, 0, ""))
    assert engine.reader().jobs() == [
        JobStatus("index faro", 1, 1, 1, 100, 30, "Loki is away")
    ]

    writer.record(JobStatus("index faro", 1, 0, 0, 200, 7, ""))
    assert engine.reader().jobs() == [JobStatus("index faro", 2, 1, 1, 200, 7, "")]


# -- retention ---------------------------------------------------------------------


def expire_all(writer: Writer, before: int) -> int:
    """Delete what is old, to the end."""
    total = 0
    while gone := writer.expire(before):
        total += gone
    while writer.tidy():
        pass
    return total


def test_old_sessions_go_whole(engine: Engine) -> None:
    """A session that ended before is gone with all that belonged to it."""
    writer = engine.writer()
    write(writer, page_load("old", "10:00", "/gone"), js_error("old", "10:05"))
    write(writer, page_load("new", "12:00", "/kept"), action("new", "12:01"))
    before = engine.reader().session("shop", "new")
    edge = before.end if before else 0

    assert expire_all(writer, edge) == 1
    assert all_of(engine.reader()).keys() == {"new"}
    assert engine.reader().session("shop", "new") == before
    assert engine.reader().session("shop", "old") is None
    assert expire_all(writer, edge) == 0


def test_session_may_come_back(engine: Engine) -> None:
    """What was deleted can be read again, such as by a backfill."""
    writer, told = engine.writer(), lines()[0]
    write(writer, told)
    before = all_of(engine.reader())
    expire_all(writer, WHOLE.end)
    assert all_of(engine.reader()) == {}

    write(writer, told)
    assert all_of(engine.reader()) == before


def test_space_is_given_back(engine: Engine) -> None:
    """An index whose sessions have gone is as small as before they came."""
    write(engine.writer(), page_load("s1", "23:00"))
    small = engine.bytes()
    busy = World(9, sessions_per_hour=500, visitors=60)
    write(engine.writer(), tuple(busy.history(NOON, NOON + HOUR, whole=True)))
    large = engine.bytes()
    last = engine.reader().session("shop", "s1")
    assert last is not None

    writer = engine.writer()
    expire_all(writer, last.start)
    while writer.roll_up(1 << 52, "single_view"):  # what is derived goes as well
        pass
    expire_all(writer, last.start)

    assert large > 3 * small
    assert engine.bytes() < 1.3 * small


def test_empty_batch_is_fine(engine: Engine) -> None:
    """A source without lines gets a cursor, and nothing else."""
    done = engine.writer().ingest("faro", Batch(), Progress(3))

    assert (done.events, done.sessions) == (0, 0)
    assert engine.writer().cursor("faro") == 3
