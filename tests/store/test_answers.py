"""What was answered is remembered, and never older than the index."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.sessionql.language import parse
from app.sessionql.plan import Leaf, Window
from app.settings import Settings
from app.store.answers import SLOT, Answered
from app.store.pool import Readers
from app.store.seam import Reader, Search
from tests.build import DAY, HOUR, page_load
from tests.driver import Index

BEGIN = DAY
WINDOW = Window(BEGIN, BEGIN + 24 * HOUR, 0, BEGIN + 24 * HOUR)
COUNT = Leaf("count")


@pytest.fixture
def readers(index: Index) -> Readers:
    """The readers of a process; the index has one session, begun at 10:10."""
    index.ingest(page_load("s1", at="10:10:00"))
    return Readers(index.settings)


@pytest.fixture
def reader(readers: Readers, index: Index) -> Iterator[Reader]:
    """One of them."""
    opened = readers.open(index.settings)
    yield opened
    opened.close()


def ways(reader: Reader) -> list[str]:
    """Say which answers since the last call were remembered, and which are new."""
    answered = reader.take_answered()
    return ["cache" if each.by == "cache" else "new" for each in answered]


def test_second_asker_gets_what_is_remembered(readers: Readers, index: Index) -> None:
    """Also another reader of the same process."""
    first, second = readers.open(index.settings), readers.open(index.settings)

    assert first.evaluate(COUNT, WINDOW) == second.evaluate(COUNT, WINDOW)
    assert (ways(first), ways(second)) == (["new"], ["cache"])
    first.close()
    second.close()


def test_answer_changes_with_the_index(reader: Reader, index: Index) -> None:
    """Whatever is written between two questions, the second answer knows it."""
    counts = []
    for n in range(2, 5):
        counts.append(reader.evaluate(COUNT, WINDOW)[0][2])
        index.ingest(page_load(f"s{n}", at=f"1{n}:10:00"))
    index.writer.expire(BEGIN + 13 * HOUR)
    counts.append(reader.evaluate(COUNT, WINDOW)[0][2])

    assert counts == [1, 2, 3, 2]
    assert "cache" not in ways(reader)


def test_what_was_looked_for_ahead_is_not_remembered_as_newer(
    reader: Reader, index: Index
) -> None:
    """An answer is of one state of the index; the next one knows what was written."""
    users = Leaf("distinct", "browser")
    reader.foresee([COUNT, users], WINDOW)
    index.ingest(page_load("s2", at="11:10:00"))

    counts = [reader.evaluate(COUNT, WINDOW)[0][2] for _ in range(2)]
    assert counts == [1, 2]
    assert reader.evaluate(users, WINDOW)[0][2] == 1


def test_range_that_moved_shares_an_answer_when_nothing_began_between(
    reader: Reader,
) -> None:
    """Dashboards ask until now: the same sessions are the same answer."""
    reader.evaluate(COUNT, WINDOW)
    later = replace(WINDOW, start=BEGIN + 7_000, end=WINDOW.end + SLOT // 2)

    assert reader.evaluate(COUNT, later) == [((), BEGIN + 7_000, 1)]
    assert ways(reader) == ["new", "cache"]


@pytest.mark.parametrize("edge", ["start", "end"])
def test_range_that_moved_over_a_session_is_asked_anew(
    reader: Reader, edge: str
) -> None:
    """The session begins between the two ends, which are in one slot."""
    at = reader.search(Search(WINDOW)).items[0]["start"]
    before, after = replace(WINDOW, **{edge: at}), replace(WINDOW, **{edge: at + 1})
    counts = [
        sum(value or 0 for *_, value in reader.evaluate(COUNT, each))
        for each in (before, after)
    ]

    assert counts == ([1, 0] if edge == "start" else [0, 1])
    assert ways(reader) == ["new", "new"]


def test_figure_bucket_by_bucket_is_not_that_of_the_whole(reader: Reader) -> None:
    """A step is part of the question."""
    reader.evaluate(COUNT, WINDOW)
    hourly = replace(WINDOW, step=HOUR)

    assert reader.evaluate(COUNT, hourly) == [((), BEGIN + 10 * HOUR, 1)]


def test_what_depends_on_the_time_is_not_remembered(reader: Reader) -> None:
    """A session is active until its timeout has passed, whether or not one writes."""
    leaf = parse("{ active = true } | count_over_time()").figures
    assert isinstance(leaf, Leaf)
    soon = replace(WINDOW, now=BEGIN + 10 * HOUR + 11 * 60_000)

    assert reader.evaluate(leaf, soon) == [((), BEGIN, 1)]
    assert reader.evaluate(leaf, WINDOW) == []
    assert ways(reader) == ["new", "new"]


def test_memory_is_bounded(index: Index) -> None:
    """What was used longest ago goes; what is too large is not remembered."""
    index.ingest(page_load("s1", at="10:10:00"))
    readers = Readers(replace(index.settings, answer_cache_bytes=8_000))
    reader = readers.open(index.settings)
    for n in range(50):
        reader.evaluate(Leaf("quantile", "duration", points=(n / 50,)), WINDOW)
    reader.take_answered()
    reader.evaluate(Leaf("quantile", "duration", points=(49 / 50,)), WINDOW)
    reader.evaluate(Leaf("quantile", "duration", points=(0.0,)), WINDOW)

    assert ways(reader) == ["cache", "new"]
    assert readers.answers is not None
    assert 0 < readers.answers.nbytes <= 8_000
    reader.close()


def test_nothing_is_remembered_when_told_so(index: Index) -> None:
    """A size of 0 turns it off."""
    index.ingest(page_load("s1", at="10:10:00"))
    reader = Readers(replace(index.settings, answer_cache_bytes=0)).open(index.settings)
    for _ in range(2):
        reader.evaluate(COUNT, WINDOW)

    assert ways(reader) == ["new", "new"]
    reader.close()


def test_notices_come_with_what_is_remembered(reader: Reader, index: Index) -> None:
    """An approximate answer says so each time."""
    while index.writer.roll_up(WINDOW.end + DAY, "single_view"):
        pass
    leaf = Leaf("quantile", "duration", points=(0.5,))
    told = []
    for _ in range(2):
        reader.evaluate(leaf, WINDOW)
        told.append(reader.take_notices())

    assert told[0] == told[1] != []
    assert ways(reader) == ["new", "cache"]


def test_another_file_at_the_path_is_another_index(
    readers: Readers, index: Index, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither readers nor answers outlive the file that they are of."""
    first = readers.open(index.settings)
    assert first.evaluate(COUNT, WINDOW) == [((), BEGIN, 1)]
    first.close()
    index.close()
    other = Index(tmp_path_factory.mktemp("other") / "skald.db")
    other.ingest(page_load("s1", at="10:10:00") + page_load("s2", at="11:10:00"))
    other.close()
    for path in index.path.parent.glob(f"{index.path.name}*"):
        path.unlink()
    other.path.replace(index.path)

    second = readers.open(index.settings)
    assert second.evaluate(COUNT, WINDOW) == [((), BEGIN, 2)]
    second.close()


def test_reader_is_lent_to_one_at_a_time(readers: Readers, index: Index) -> None:
    """Closing twice gives back once; what the last asker left is gone."""
    settings: Settings = index.settings
    first = readers.open(settings)
    first.evaluate(COUNT, WINDOW)
    first.close()
    first.close()
    second, third = readers.open(settings), readers.open(settings)

    assert second is first
    assert third is not second
    left: list[Answered] = second.take_answered()
    assert left == []
    second.close()
    third.close()
