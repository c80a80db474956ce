"""Releases are found where their first sessions are."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.api.releases import find_releases
from app.sessionql.plan import EVERYTHING, Compare, Window
from app.store.seam import Reader
from tests.build import DAY, HOUR, MINUTE, page_load
from tests.driver import SOURCE, Index

LENGTH = 24 * HOUR  # of a day
SEEN = (  # app, version, days ago, hour of the day
    ("shop", "1.0", 20, 3),
    ("shop", "1.0", 0, 3),
    ("shop", "1.1", 2, 9),
    ("shop", "1.2", 2, 5),
    ("shop", "1.2", 0, 1),
    ("shop", "2.0", 0, 7),
    ("blog", "7", 0, 4),
    ("blog", "8", 0, 6),
    ("docs", "3", 0, 2),
    ("docs", "", 5, 2),
)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Return an index of three applications and their versions."""
    index = Index(tmp_path / "skald.db", replace(SOURCE, start_ms=40 * LENGTH))
    for number, (app, version, ago, hour) in enumerate(SEEN):
        at = DAY - ago * LENGTH + hour * HOUR
        index.feed(page_load(f"s{number}", at, app_name=app, app_version=version))
    index.entries.sort(key=lambda each: each.ts)
    index.backfill()
    return index.reader


def found(reader: Reader, start: int, end: int) -> list[tuple[str, str, int]]:
    """List app, version and hour since midnight of the releases of a range."""
    releases = find_releases(reader, Window(start, end, 0, DAY + LENGTH), EVERYTHING)
    return [(each.app, each.version, (each.at - DAY) // HOUR) for each in releases]


def test_first_session_of_a_version_is_its_release(reader: Reader) -> None:
    """The oldest version of an application is none, and one seen before is not new."""
    assert found(reader, DAY, DAY + LENGTH) == [("blog", "8", 5), ("shop", "2.0", 6)]


def test_releases_of_one_day_are_told_apart(reader: Reader) -> None:
    """Each comes at its own first session, which may be of the day that the range cuts."""
    whole = found(reader, DAY - 30 * LENGTH, DAY)
    cut = found(reader, DAY - 2 * LENGTH + 6 * HOUR, DAY)

    assert whole == [("shop", "1.2", -44), ("shop", "1.1", -40)]
    assert cut == [("shop", "1.1", -40)]


def test_release_is_in_the_range_that_holds_its_first_session(reader: Reader) -> None:
    """Ranges are half open, to the millisecond."""
    (release,) = find_releases(
        reader,
        Window(DAY + 6 * HOUR + MINUTE, DAY + 8 * HOUR, 0, DAY + LENGTH),
        Compare("app", "=", ("shop",)),
    )
    at = release.at

    assert found(reader, at, at + 1) == [("shop", "2.0", 6)]
    assert found(reader, at + 1, at + HOUR) == []
    assert found(reader, at - MINUTE, at) == []
