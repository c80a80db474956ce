"""A query and its condition: what is put in, and where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.standin.lexer import unquote
from app.sources.loki.divide import divide
from app.sources.loki.logql import by_label, by_text, parse_selector, quote
from app.sources.loki.trouble import parse_duration
from app.sources.model import Stream


@pytest.mark.parametrize(
    ("selector", "having", "lacking"),
    [
        ('{a="b"}', '{a="b", k="v"}', '{a="b", k!="v"}'),
        ('{a="}"} |= "}"', '{a="}", k="v"} |= "}"', '{a="}", k!="v"} |= "}"'),
        ("{a=`\\}`,}| json", '{a=`\\}`, k="v"}| json', '{a=`\\}`, k!="v"}| json'),
        ('{a="\\"}"}', '{a="\\"}", k="v"}', '{a="\\"}", k!="v"}'),
    ],
)
def test_a_label_goes_into_the_braces(selector: str, having: str, lacking: str) -> None:
    """Braces inside of strings are no braces."""
    halves = by_label(parse_selector(selector), "k", ["v"])

    assert (str(halves.having), str(halves.lacking)) == (having, lacking)


def test_several_values_become_a_pattern() -> None:
    """RE2 reads the values literally."""
    halves = by_label(parse_selector('{a="b"}'), "k", ["x.y", "(z|w)"])

    assert str(halves.having) == r'{a="b", k=~"x\\.y|\\(z\\|w\\)"}'


def test_a_text_goes_to_the_end() -> None:
    """After the pipeline's own stages, where it meets the line that was given."""
    halves = by_text(parse_selector('{a="b"} | line_format "{{.x}}"'), "t")

    assert str(halves.lacking) == '{a="b"} | line_format "{{.x}}" != "t"'


@given(st.text())
def test_a_quoted_text_reads_back(text: str) -> None:
    """Any text, in ASCII, as Go would read it."""
    quoted = quote(text)

    assert quoted.isascii()
    assert unquote(quoted, 1) == text


@settings(deadline=None)
@given(st.lists(st.text("ab\ufffd", max_size=5), min_size=2, unique=True))
def test_different_lines_are_divided_if_they_can_be_named(lines: list[str]) -> None:
    """Both halves have something, unless unreadable bytes are all that differs."""
    streams = [Stream({}, [["1", line] for line in lines])]

    halves = divide(parse_selector("{}"), streams, frozenset())

    if halves is None:
        assert any("\ufffd" in line for line in lines)
        return
    text = unquote(str(halves.having).removeprefix("{} |= "), 1)
    assert "\ufffd" not in text
    assert 0 < sum(text in line for line in lines) < len(lines)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d1h", 2_595_600),
        ("960h0m0s", 3_456_000),
        ("1.5s", 1.5),
        ("long", 0),
        ("", 0),
    ],
)
def test_durations_are_read_as_loki_writes_them(text: str, seconds: float) -> None:
    """Go's and Prometheus' ways of writing them."""
    assert parse_duration(text) == seconds
