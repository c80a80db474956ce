"""The indexer follows a source, and what is read twice changes nothing."""

from tests.build import action, js_error, page_load, web_vital
from tests.driver import Index
from tests.dump import dump


def test_entry_makes_a_session(index: Index) -> None:
    """What a visitor's browser sends is one session with its figures."""
    index.feed(
        page_load("s1", at="10:00:00", page="/", lcp=2_300),
        action("s1", at="10:00:20"),
        page_load("s1", at="10:01:00", page="/cart", how="resume"),
    )
    index.run(now="10:05")
    session = index.session("s1")

    assert [view.page for view in session.views] == ["/", "/cart"]
    assert (session.action_count, session.errors) == (1, 0)
    assert session.views[0].lcp == 2_300


def test_late_entry_reopens_its_session(index: Index) -> None:
    """An entry that arrives one run late still lands in the session it belongs to."""
    index.feed(page_load("s1", at="10:00:00"))
    index.run(now="10:05")

    index.feed(js_error("s1", at="10:04:59"))
    index.run(now="10:10")

    assert index.session("s1").errors == 1


def test_running_again_changes_nothing(index: Index) -> None:
    """A second run over the same time leaves the same index."""
    index.feed(page_load("s1", at="10:00:00"), js_error("s1", at="10:00:10"))
    index.run(now="10:05")
    before = dump(index.path)

    index.run(now="10:05")

    assert dump(index.path) == before


def test_backfill_after_following_changes_no_session(index: Index) -> None:
    """Reading a range again adds no event and moves no cursor back."""
    index.feed(page_load("s1", at="10:00:00"), web_vital("s1", "10:00:05", "cls", 0.1))
    index.run(now="10:05")
    before = dump(index.path, counters=False)

    report = index.backfill()

    assert (report.events, report.repeated) == (0, 3)
    assert dump(index.path, counters=False) == before


def test_same_line_received_twice_is_one_event(index: Index) -> None:
    """A batch that the SDK sent twice has other timestamps, and counts once."""
    first = js_error("s1", at="10:00:10", received="10:00:11")
    again = js_error("s1", at="10:00:10", received="10:00:45")
    index.feed(page_load("s1", at="10:00:00"), first, again)

    index.run(now="10:05")

    assert index.session("s1").errors == 1
    assert index.session("s1").events == 3
