"""Hours whose sessions were all deleted are still there, and have nothing."""

import pytest

from app.store.insight_seam import Ranking
from tests.build import DAY, HOUR, page_load
from tests.driver import WHOLE, Index


@pytest.mark.parametrize("is_rolled_up", [True, False])
def test_users_beside_an_emptied_hour(index: Index, *, is_rolled_up: bool) -> None:
    """Retention took all sessions of an hour, and its row group is made anew or not yet."""
    for name, at in (("s1", "03:10:00"), ("s2", "10:10:00"), ("s3", "11:10:00")):
        index.ingest(page_load(name, at, user_id=f"of {name}"))
    roll_up(index)
    index.writer.expire(DAY + 8 * HOUR)
    if is_rolled_up:
        roll_up(index)

    found = index.reader.people(Ranking(WHOLE))

    assert sorted(each["user"] for each in found.items) == ["of s2", "of s3"]


def roll_up(index: Index) -> None:
    """Make figures and columns of what changed, of hours and not of whole days."""
    while index.writer.roll_up(DAY + 13 * HOUR, "single_view"):
        pass
