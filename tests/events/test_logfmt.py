"""Logfmt is read as go-logfmt writes it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events import logfmt
from app.events.logfmt import Malformed

# Go's rules: github.com/go-logfmt/logfmt 0.6, encode.go and jsonstring.go
BAD = '[\x00-\x20="\x7f\ufffd]'
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
SHORT["\ufffd"] = "\\ufffd"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TRICKY = st.text(st.sampled_from('a=" \\\n\t\x00\x1f\x7f\ufffdé☕nu{'), max_size=12)
VALUES = st.one_of(TEXT, TRICKY, st.sampled_from(["null", "", "true", "C:\\temp", '"']))
KEYS = TEXT.map(lambda key: re.sub(BAD, "", key)).filter(bool)
ANYTHING = st.text(st.sampled_from('ab=" \\n\n\0é'), max_size=30)


def dump(fields: dict[str, str]) -> str:
    """Write pairs as Go does; an empty value has nothing after its ``=``."""
    return " ".join(f"{key}={quoted(value)}" for key, value in fields.items())


def quoted(value: str) -> str:
    """Write a value, in quotes where it needs them."""
    if value != "null" and not re.search(BAD, value):
        return value
    return '"' + re.sub('[\x00-\x1f"\\\\\ufffd]', escaped, value) + '"'


def escaped(found: re.Match[str]) -> str:
    """Escape one character as Go's JSON does."""
    return SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"


def outcome(parse: object, text: str) -> object:
    """Return what was read, or that it was refused."""
    try:
        return parse(text)
    except Malformed:
        return "malformed"


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=8))
def test_what_is_written_is_read(fields: dict[str, str]) -> None:
    """Whatever Go wrote comes back as it was."""
    assert logfmt.parse(dump(fields)) == fields


@given(ANYTHING)
def test_quick_way_reads_what_the_careful_way_reads(text: str) -> None:
    """The shortcut for lines without escapes changes no result."""
    assert outcome(logfmt.parse, text) == outcome(logfmt._parse_any, text)


@given(ANYTHING)
def test_plain_pairs_are_read_alike(text: str) -> None:
    """Without quotes, the quickest way either agrees or says that it cannot tell."""
    plain = text.replace('"', "")
    found = outcome(logfmt.parse_plain, plain)

    assert found in ("malformed", outcome(logfmt._parse_any, plain))


@given(st.text(max_size=60))
def test_nothing_but_malformed_is_raised(text: str) -> None:
    """Any text is read or refused."""
    assert outcome(logfmt.parse, text)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (r"path=C:\temp x=1", {"path": r"C:\temp", "x": "1"}),
        (r'path="C:\\temp"', {"path": r"C:\temp"}),
        ('url="/a?b=c" n=2', {"url": "/a?b=c", "n": "2"}),
        ("a=1 a=2", {"a": "2"}),
        ('a="x" a="y" b="z"', {"a": "y", "b": "z"}),
        ('a=1 b="x" a="y"', {"a": "y", "b": "x"}),
        ("  a=1   b=2  ", {"a": "1", "b": "2"}),
        ("flag a=1", {"flag": "", "a": "1"}),
        ("a= b=1", {"a": "", "b": "1"}),
        ('a="" b="null"', {"a": "", "b": "null"}),
        (r'a="caf\u00e9\n\ud83c"', {"a": "café\n\ufffd"}),
        ("a.b-c/d=1", {"a.b-c/d": "1"}),
        ("a=b=c", {"a": "b=c"}),
        ('a=b"c', {"a": 'b"c'}),
        ("a=\0 b=\0", {"a": "\0", "b": "\0"}),
    ],
)
def test_examples(text: str, fields: dict[str, str]) -> None:
    """What the corners of the format mean."""
    assert logfmt.parse(text) == fields


@pytest.mark.parametrize(
    "text", ["", "   ", 'a="open', 'a="x"y', '="x"', "=1", '"a"=1', 'a="x\\"', '"']
)
def test_what_is_no_logfmt_is_refused(text: str) -> None:
    """Quotes that do not close, values without a key, and nothing at all."""
    with pytest.raises(Malformed):
        logfmt.parse(text)
