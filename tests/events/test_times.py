"""Instants are read in every form in which receivers write them; others are 0."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.world.text import go_time, iso_time
from app.events.times import parse_time
from tests.build import ms

TEN = ms("10:00:01.5")


@given(st.integers(60_000, 4_102_444_800_000))
def test_what_go_writes_is_read(at: int) -> None:
    """Both layouts, their fractions cut as Go cuts them."""
    assert parse_time(go_time(at)) == at
    assert parse_time(iso_time(at)) == at


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.integers(-840, 840))  # noqa: DTZ001
def test_zones_are_taken_out(when: datetime, offset: int) -> None:
    """An instant is the same in every zone."""
    when = when.replace(tzinfo=UTC, microsecond=0)
    sign, size = "-" if offset < 0 else "+", abs(offset)
    local = (when + timedelta(minutes=offset)).strftime("%Y-%m-%dT%H:%M:%S")
    text = f"{local.rjust(19, '0')}{sign}{size // 60:02}:{size % 60:02}"

    assert parse_time(text) == int(when.timestamp()) * 1000


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 10:00:01.5 +0000 UTC",
        "2026-11-20T10:00:01.5Z",
        "2026-11-20T10:00:01.500000001Z",
        "2026-11-20T12:00:01.5+02:00",
        "2026-11-20 10:00:01.5 +0000 UTC m=+0.003",
        "2026-11-20T10:00:01.5UTC",
    ],
)
def test_forms_of_one_instant(text: str) -> None:
    """However it is written, it is one instant."""
    assert parse_time(text) == TEN


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "0001-01-01 00:00:00 +0000 UTC", "0001-01-01T00:00:00Z",
        "2026-13-40T10:00:00Z", "2026-11-20T10:00Z", "1795168801500", "-1", "Z" * 99,
        "9" * 5_000, " +0000 UTC",
        "99999-11-20T10:00:00Z", "1969-12-31T23:59:59Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_zero(text: str) -> None:
    """Zero means that nothing believable is said; the receipt counts then."""
    assert parse_time(text) == 0


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    """Nothing is raised, whatever stands where a time should be."""
    assert isinstance(parse_time(text), int)
