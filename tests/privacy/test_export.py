"""An export holds everything of one person, and nothing of anybody else."""

from pathlib import Path

import pytest

from app.api.exporting import lines_of
from tests.build import action, js_error, page_load
from tests.driver import Index
from tests.privacy.oracle import exported, identities
from tests.privacy.test_erasure import NAMES, SIZE, batches, built, case, users_of


def text(index: Index, user: str) -> str:
    """Return an export as it is written."""
    return b"".join(lines_of(exported(index.settings, user))).decode()


def test_what_others_did_is_left_out(index: Index) -> None:
    """Of a session that changed user only what is the person's, or nobody's, is told."""
    index.ingest(
        [
            *page_load("s1", "10:00", "/before"),
            *page_load("s1", "10:01", "/of-one", user_id="u1", user_email="one@x"),
            *action("s1", "10:02", "done-by-two", user_id="u2", user_email="two@x"),
            *js_error("s1", "10:03", "seen by two", user_id="u2", user_email="two@x"),
        ]
    )
    (found,) = exported(index.settings, "one@x")
    told = text(index, "u1")

    assert (len(found.events), found.others) == (4, 2)
    assert found.whole.session.users == ("u1",)
    assert all(each in told for each in ("/before", "/of-one", "one@x"))
    assert not any(each in told for each in ("u2", "two@x", "done-by-two", "by two"))


def test_other_addresses_of_the_person_are_found(index: Index) -> None:
    """By what lines say together, from one to the next, also what was written earlier."""
    index.ingest(page_load("s1", "10:00", user_email="old@x"))
    index.ingest(page_load("s2", "10:01", user_id="u1", user_email="old@x"))
    index.ingest(page_load("s3", "10:02", user_id="u1", user_email="new@x"))
    index.ingest(page_load("s4", "10:03", user_id="u2", user_username="One"))

    found = exported(index.settings, "new@x")

    assert [each.whole.session.key.id for each in found] == ["s1", "s2", "s3"]


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_told(name: str, tmp_path: Path) -> None:
    """All events of the person, of every source, but for what others did."""
    source, told, groups = case(name)
    user = users_of(name)[0]
    index = built(tmp_path / "skald.db", source, batches(told, SIZE))
    own = {
        event.key
        for lines in groups.values()
        for event, context in lines.told
        if user in identities(event, context)
    }

    found = {
        event.key for each in exported(index.settings, user) for _, event in each.events
    }

    assert own
    assert own <= found
    index.close()
