"""The quick way through a Faro line gives what reading it whole gives, for any line."""

import random
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.world import Mischief, World
from app.events import faro, logfmt
from app.events.faro import FaroDecoder
from app.events.unreadable import Unreadable
from tests.corpus.corpus import entries
from tests.events.test_logfmt import dump
from tests.worlds import NOON

SOURCES = ("lines", "lines-otel", "lines-json-sample", "alloy", "otel", "json")
LOGFMT = ("lines", "lines-otel", "alloy", "otel")
BITS = (
    '"', "=", " ", "\\", "\n", "\0", "é", '\\"', " sdk_", " app_", " session_id=",
    " page_url=x", " browser_name=", " view_name=", ' session_id="', " kind=event",
    " type=web-vitals ", " context_", " value_lcp=1", 'timestamp="', " page_", "null",
    " session_attr_a=b", " user_id=", "\ud800", "  ", " value_cls=nan", " a",
)  # fmt: skip
RECEIVED = 1_795_166_160_075_587  # µs


@cache
def lines(source: str) -> tuple[str, ...]:
    """Return lines of the corpus, or of a world in one dialect."""
    if source.startswith("lines"):
        return tuple(entry.line for entry in entries(source))
    world = World(31, sessions_per_hour=80, dialect=source, mischief=Mischief(broken=1))
    told = [e.line for e in world.history(NOON, NOON + 3_600_000)]
    return tuple(line for line in dict.fromkeys(told) if len(line) < 20_000)


def outcome(decode: Callable[[str, int], object], line: str) -> object:
    """Return what a line means, or why it means nothing."""
    try:
        return decode(line, RECEIVED)
    except Unreadable as reason:
        return str(reason)
    except UnicodeError:
        return "malformed"


@pytest.mark.parametrize("source", SOURCES)
def test_every_line_is_read_alike(source: str) -> None:
    """All lines there are, in all dialects."""
    decode = FaroDecoder()._decode_line
    wrong = [
        line
        for line in lines(source)
        if outcome(decode, line) != outcome(faro._decode_whole, line)
    ]

    assert len(lines(source)) >= 80
    assert wrong == []


@pytest.mark.parametrize("source", LOGFMT)
def test_every_well_written_line_is_read_alike(source: str) -> None:
    """Any values, any keys missing, as long as a receiver may have written the line."""
    decode, dice = FaroDecoder()._decode_line, random.Random(source)
    told = [rewritten(dice.choice(lines(source)), dice) for _ in range(1_000)]
    wrong = [
        line
        for line in told
        if outcome(decode, line) != outcome(faro._decode_whole, line)
    ]

    assert wrong == []


def rewritten(line: str, dice: random.Random) -> str:
    """Write a line anew: other values, fewer keys, in the order of the receiver."""
    try:
        fields = list(logfmt.parse(line).items())
    except logfmt.Malformed:
        return line
    for _ in range(dice.randrange(1, 6)):
        if len(fields) < 2:
            break
        at = dice.randrange(1, len(fields))  # the receiver writes the time itself
        key, value = fields[at]
        bit, cut = dice.choice(BITS), dice.randrange(len(value) + 1)
        other = dice.choice(
            (bit, value[:cut] + bit + value[cut:], value[cut:], "-1", "")
        )
        fields[at : at + 1] = [(key, other)] if dice.random() < 0.7 else []
    return dump({key: value for key, value in fields if value})


@pytest.mark.parametrize("source", SOURCES)
def test_no_changed_line_stops_a_run(source: str) -> None:
    """Lines cut, doubled, joined, spoiled: read or counted by reason, both ways.

    The two may differ over a line that no receiver writes, such as one with a key of
    its meta among those of its item.
    """
    decode, many = FaroDecoder()._decode_line, 1_000
    found = [
        (outcome(decode, line), outcome(faro._decode_whole, line))
        for line in changed(lines(source), random.Random(source), many)
    ]

    assert len(found) == many
    assert sum(quick != whole for quick, whole in found) < many / 40


def changed(known: tuple[str, ...], dice: random.Random, many: int) -> Iterator[str]:
    """Yield lines to which something happened, once to four times."""
    for _ in range(many):
        line = dice.choice(known)
        for _ in range(dice.randrange(1, 5)):
            line = change(line, dice, known)
        yield line


def change(line: str, dice: random.Random, known: tuple[str, ...]) -> str:
    """Do one thing to a line."""
    at = dice.randrange(len(line) + 1)
    to = min(len(line), at + dice.randrange(1, 60))
    words = line.split(" ")
    word = dice.randrange(len(words))
    return dice.choice(
        (
            line[:at],
            line[at:],
            line[:at] + line[to:],
            line[:at] + line[at:to] * 2 + line[to:],
            line[:at] + dice.choice(BITS) + line[at:],
            line[:at] + dice.choice(BITS) + line[to:],
            " ".join((*words[:word], *words[word + 1 :])),
            " ".join((*words, words[word])),
            " ".join((words[word], *words)),
            " ".join((*words[:word], dice.choice(words), *words[word:])),
            line[:at] + dice.choice(known)[at:],
        )
    )


@given(st.text(max_size=300))
def test_any_text_is_read_or_counted(text: str) -> None:
    """What no decoder was made for is refused with a reason."""
    decode = FaroDecoder()._decode_line

    assert outcome(decode, text) == outcome(faro._decode_whole, text)


def test_what_was_remembered_changes_nothing() -> None:
    """A decoder that has seen all lines reads them as a new one does."""
    old = FaroDecoder()._decode_line
    told = [line for source in SOURCES for line in lines(source)]
    for line in told:
        outcome(old, line)

    assert [outcome(old, line) for line in told[::7]] == [
        outcome(FaroDecoder()._decode_line, line) for line in told[::7]
    ]
