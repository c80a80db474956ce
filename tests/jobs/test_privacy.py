"""The jobs serve requests about one person's data while they index."""

from contextlib import closing
from pathlib import Path

import pytest

from app import clock
from app.demo.standin import StandIn
from app.errors import LeaseLost
from app.sessionql.plan import Window
from app.settings import Settings
from app.store import open_privacy_book, open_reader, open_writer
from app.store.privacy_seam import ERASURE, EXPORT, Request
from app.store.seam import Progress, Search
from tests.build import HOUR, page_load
from tests.driver import Index, decode
from tests.jobs.test_scheduler import running, settings_for, until
from tests.worlds import PLAIN


def find(settings: Settings, request: Request) -> Request:
    """Return how far a request is."""
    with closing(open_privacy_book(settings)) as book:
        found = book.get(request.kind, request.id)
    assert found is not None
    return found


def ids(settings: Settings) -> set[str]:
    """Return which sessions there are."""
    with closing(open_reader(settings)) as reader:
        return {
            row["id"] for row in reader.search(Search(Window(0, 1 << 52, 0, 0))).items
        }


def test_service_erases_and_reads_on(tmp_path: Path) -> None:
    """Whoever was erased stays away, whoever comes later is indexed."""
    before = clock.now() - HOUR
    with StandIn(limits=PLAIN) as loki:
        loki.load(page_load("s1", before, user_id="u1"))
        loki.load(page_load("s2", before, user_id="u2"))
        settings = settings_for(tmp_path, loki.url)
        with running(settings):
            until(lambda: ids(settings) == {"s1", "s2"}, "the sessions")
            with closing(open_privacy_book(settings)) as book:
                request = book.add(ERASURE, "u1", clock.now())
            until(lambda: find(settings, request).state == "done", "the erasure")
            with closing(open_writer(settings)) as writer:
                late = decode(page_load("s3", before, user_id="u1"))
                writer.ingest("faro", late, Progress(0))
            loki.load(page_load("s4", clock.now() + 1_000, user_id="u1"))
            until(lambda: "s4" in ids(settings), "what came later")

    assert ids(settings) == {"s2", "s4"}


def test_who_is_too_slow_loses_a_request_to_another(index: Index) -> None:
    """One works on a request at a time; who was away for long does nothing more."""
    index.ingest(page_load("s1", "10:00", user_id="u1"))
    with (
        closing(open_privacy_book(index.settings)) as one,
        closing(open_privacy_book(index.settings)) as other,
    ):
        request = one.add(EXPORT, "u1", 5)
        assert one.claim("one", 10) == request.id
        assert not other.claim("other", 20)
        assert other.claim("other", 10 + HOUR) == request.id

        with pytest.raises(LeaseLost):
            one.advance(request.id, "one", 30 + HOUR, "single_view")
        while other.advance(request.id, "other", 20 + HOUR, "single_view"):
            pass

        assert not one.claim("one", 1 << 50)
    assert find(index.settings, request).state == "done"
