"""What is compiled by hand returns what Python returns, or says that it cannot tell."""

import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.events import logfmt, times
from tests.events.test_logfmt import ANYTHING, TEXT, dump, outcome

plain = pytest.importorskip("app.events._plain", reason="not compiled")

NEEDED = ("a", "b", "ab", "kind", "value_lcp")
WORDS = st.text(st.sampled_from("ab-/.:é☕😀0"), min_size=1, max_size=6)
PLAIN = st.dictionaries(WORDS, st.text(st.sampled_from('ab c="é☕😀='), max_size=6))
DIGITS = st.text(st.sampled_from("0123456789"), max_size=10)
INSTANTS = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}{}".format,
    *(st.sampled_from(("2026", "1969", "1970", "0001", "9999", "26", "2O26", "2024")),),
    *(st.sampled_from(("02", "11", "13", "00", "1", "-1")),),
    *(st.sampled_from(("20", "29", "30", "31", "00", "5", " 1")),),
    *(st.sampled_from((" ", "T", "t", "x", "")),),
    *(st.sampled_from(("09", "23", "24", "9", "a9")),),
    *(st.sampled_from(("16", "59", "60", "+6")),),
    *(st.sampled_from(("21", "59", "60", "99", "2", "_1")),),
    *(st.sampled_from((".", "", ",", "..")),),
    DIGITS,
    st.sampled_from(("Z", " +0000 UTC", " UTC", "+01:00", "", "z", " +0000 UTC m=+1", "ZZ")),
)  # fmt: skip


@given(ANYTHING | TEXT)
@example(" a=1")
@example('a="" b="c d"')
@example('a="x"')
def test_pairs_are_those_of_the_careful_way(text: str) -> None:
    """Of any text; the careful way reads one character after the other."""
    found = plain.scan(text, None)

    assert found in (None, outcome(logfmt._parse_any, text))


@given(PLAIN.filter(bool))
def test_plain_pairs_are_always_read(fields: dict[str, str]) -> None:
    """Characters of any width; only an escape is left to Python."""
    text = dump(fields)

    assert plain.scan(text, None) == (None if "\\" in text else fields)


@given(ANYTHING | PLAIN.filter(bool).map(dump))
def test_needed_pairs_are_those_of_all(text: str) -> None:
    """With keys, those are read and no others."""
    found = plain.scan(text, plain.Keys(NEEDED))
    every = outcome(logfmt._parse_any, text)

    if found is not None:
        assert found == {key: every[key] for key in every if key in NEEDED}


@given(st.lists(WORDS.filter(str.isascii), unique=True, max_size=60), st.data())
def test_each_key_is_found(names: list[str], data: st.DataObject) -> None:
    """However many keys there are, and whichever of them a text has."""
    told = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    text = " ".join(f"{key}=1" for key in (*told, "none"))

    assert plain.scan(text, plain.Keys(names)) == dict.fromkeys(told, "1")


def test_nothing_is_kept_or_lost() -> None:
    """Objects that come in are held as often afterwards as before."""
    keys = plain.Keys(names := tuple(f"key{n}" for n in range(20)))
    texts = ("key1=a key2=b", "key1=a key1=b", 'key1="a', "key1=a x", "é=☕ key3=😀")
    held = [*names, *texts, keys]
    before = [sys.getrefcount(each) for each in held]
    for _ in range(100):
        [(plain.scan(text, keys), plain.scan(text, None)) for text in texts]

    assert [sys.getrefcount(each) for each in held] == before


@pytest.mark.parametrize(
    "arguments", [(), ("a=1",), (b"a=1", None), ("a=1", "a"), (1, 2)]
)
def test_what_is_no_text_is_refused(arguments: tuple[object, ...]) -> None:
    """A mistake of ours raises; it never reads memory."""
    with pytest.raises(TypeError):
        plain.scan(*arguments)
    with pytest.raises(TypeError):
        plain.instant(b"2026")


@pytest.mark.parametrize("names", [[""], ["é"], [1], [b"a"]])
def test_strange_keys_are_refused(names: list[object]) -> None:
    """Keys are of ASCII, as those of formats are."""
    with pytest.raises(ValueError, match="ASCII"):
        plain.Keys(names)
    with pytest.raises(TypeError):
        plain.Keys(7)
    with pytest.raises(TypeError):
        plain.Keys(names=names)


@given(INSTANTS | st.text(max_size=40))
def test_instants_are_those_of_python(text: str) -> None:
    """Or it says that it cannot tell."""
    assert plain.instant(text) in (-1, times._parse_utc(text))


def test_each_day_of_two_centuries_is_read() -> None:
    """Leap years, the ends of months, the year 2100."""
    days = [
        datetime(1970, 1, 1, 23, 59, 58, tzinfo=UTC) + timedelta(n)
        for n in range(80_000)
    ]
    wrong = [
        day
        for day in days
        if plain.instant(f"{day:%Y-%m-%d %H:%M:%S}.0195 +0000 UTC")
        != int(day.timestamp()) * 1000 + 19
        or plain.instant(f"{day:%Y-%m-%dT%H:%M:%S}Z") != int(day.timestamp()) * 1000
    ]

    assert wrong == []
