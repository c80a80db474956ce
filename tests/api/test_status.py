"""How Skald itself fares, as rows."""

import pytest

from tests.api.conftest import Get

PARTS = ("index", "sources", "dropped", "jobs", "rules")


def test_index_is_measured(get: Get) -> None:
    """Sessions, bytes, entries: one row."""
    (row,) = get("status/index")

    assert row["sessions"] == 12
    assert row["bytes"] > 0
    assert row["dropped"] == 1
    assert row["lag"] == 0


def test_sources_tell_how_far_they_are(get: Get) -> None:
    """A row a source, and a row a reason for which lines were left out."""
    (source,) = get("status/sources")

    assert source["source"] == "faro"
    assert source["decoded"] == source["entries"]
    assert get("status/dropped") == [
        {"source": "faro", "reason": "malformed", "entries": 1}
    ]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_a_root_array(get: Get, part: str) -> None:
    """Also where there is nothing to tell yet."""
    assert isinstance(get(f"status/{part}"), list)


def test_unknown_part_is_refused_with_the_nearest(refuse: Get) -> None:
    """A typing mistake says what was meant."""
    message = refuse("status/souces", 404)

    assert message == "no status of 'souces'; did you mean 'sources'?"


def test_ids_are_listed_newest_first(get: Get) -> None:
    """A dashboard of one session offers the newest of an app."""
    values = [row["__value"] for row in get("variables/id", app="shop")]

    assert values[:2] == ["c5", "s3"]
    assert len(values) == 9


def test_first_option_may_mean_any(get: Get) -> None:
    """A variable with one value at a time needs a way to choose none."""
    rows = get("variables/app", any="*")

    assert rows[0] == {"__text": "(any)", "__value": "*"}
    assert get("query", app="*") == [{"sessions": 12}]
