"""Grafana's ways to write lists, times and "everything"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.parameters import (
    decode_list,
    is_unset,
    parse_duration,
    parse_instant,
    raw_values,
    regex_format,
)
from app.errors import BadRequest

NOW = 1_763_618_400_000


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("shop", ("shop",)),
        ("SE,DE", ("SE", "DE")),
        ("{SE,DE}", ("SE", "DE")),
        ("SE|DE", ("SE", "DE")),
        ("(SE|DE)", ("SE", "DE")),
        ('["SE","DE"]', ("SE", "DE")),
        ('["a, b"]', ("a, b",)),
        ('[""]', ("",)),
        ('"a|b"', ("a|b",)),
        (r"shop\.example\.com", ("shop.example.com",)),
        (r"\/cart", ("/cart",)),
        (r"(\/a\|b|\/c)", ("/a|b", "/c")),
        ("[1, true]", ("1", "true")),
        ("[not json", ("[not json",)),
        ("a,,b,", ("a", "b")),
    ],
)
def test_every_list_format_is_read(text: str, values: tuple[str, ...]) -> None:
    """Whatever format a dashboard chose, the values are the same."""
    assert decode_list(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "$app",
        "${app}",
        "${app:csv}",
        "$__all",
        "__all",
        "*",
        ".*",
        "${__interval}",
        "[[app]]",
        "{$__all}",
        '["$__all"]',
        '["${app}"]',
    ],
)
def test_what_grafana_left_means_everything(text: str) -> None:
    """A macro left over, "All" and nothing choose nothing."""
    assert decode_list(text) is None


def test_money_is_a_value() -> None:
    """A dollar in a text makes it no macro."""
    assert not is_unset("US$ 5")


def test_whole_fields_keep_their_commas() -> None:
    """A message is one value, however it is punctuated."""
    assert decode_list("Failed, badly | really", whole=True) == (
        "Failed, badly | really",
    )


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=4))
def test_variables_are_found_again(values: list[str]) -> None:
    """What a builder's payload made of a variable leads back to its values."""
    scoped = {"v": {"value": values if len(values) > 1 else values[0]}}

    assert raw_values(scoped)[regex_format(values)] == tuple(values)


@given(st.text(max_size=30))
def test_any_text_is_read_or_left(text: str) -> None:
    """Decoding never fails."""
    values = decode_list(text)

    assert values is None or all(isinstance(each, str) for each in values)


@pytest.mark.parametrize(
    "text",
    [
        "1763618400000",
        "1763618400",
        "1763618400.0",
        "2025-11-20T06:00:00Z",
        "2025-11-20T06:00:00.000Z",
        "2025-11-20T06:00:00.000000000Z",
        "2025-11-20T07:00:00+01:00",
        "2025-11-20T06:00",
        "2025-11-20 06:00:00",
        "now",
        "now-0h",
    ],
)
def test_instants_are_read(text: str) -> None:
    """ms, s, ISO 8601 with any fraction and zone, and times relative to now."""
    assert parse_instant(text, NOW) == NOW


def test_fractions_are_kept() -> None:
    """Milliseconds survive, what is finer is cut."""
    assert parse_instant("2025-11-20T06:00:00.1239Z", NOW) == NOW + 123
    assert parse_instant("2025-11-20", NOW) == NOW - 6 * 3_600_000
    assert parse_instant("now-6h", NOW) == NOW - 6 * 3_600_000


@pytest.mark.parametrize(
    "text",
    ["yesterday", "now/d", "-5", "1e30", "nan", "2025-13-01", "9999-01-01", "inf"],
)
def test_other_instants_are_refused(text: str) -> None:
    """What is no time, or lies far outside, is refused with what would do."""
    with pytest.raises(BadRequest, match=r"time"):
        parse_instant(text, NOW)


@pytest.mark.parametrize(
    ("text", "ms"),
    [("30s", 30_000), ("1.5h", 5_400_000), ("250", 250), ("1m", 60_000), ("x", None)],
)
def test_durations_are_read(text: str, ms: int | None) -> None:
    """A number with a unit, or of ms."""
    assert parse_duration(text) == ms
