"""What is taken of an item says what all its pairs say, for any item."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events import faro_items, faro_pairs, logfmt
from app.events.unreadable import Unreadable
from tests.events.test_fast_path import lines
from tests.events.test_logfmt import quoted

META = (" sdk_name=", " app_name=")
BITS = (
    "", "0", "1.5", "-1", "nan", "unknown", "x", "a=b", '"', '""', '"a b"', '"a=b"', '"a"b"',
    '"a\\"b"', "\\", '"\\"', "a\0b", "\n", "\t", "é", "9" * 30, "https://a.example/b",
    '"https://a.example/b?token=c"', " kind=log", " type=x", " event_name=a", " =", " a", " ",
    " value_lcp=1", " lcp=2", " context_element=y", " traceID=z", " event_data_duration=7",
    ' event_data_type="r', ' b"', " event_data_responseStatus", " value_lcp=", ' value_cls="1"',
    ' event_data_x="a event_name=session_start "', " type=web-vitals", " kind=event",
)  # fmt: skip


def items() -> list[str]:
    """Return the items of real lines, in both receivers' manner."""
    found = []
    for line in lines("lines") + lines("lines-otel") + lines("alloy"):
        ends = [line.find(meta) for meta in META if meta in line]
        begin = line.find("kind=")
        if ends and not line.startswith("{") and 0 < begin < min(ends):
            found.append(line[begin : min(ends)])
    return list(dict.fromkeys(found))


ITEMS = items()
NAMES = sorted({key for text in ITEMS for key in logfmt.parse(text)} - {"kind"})


def outcome(text: str, *, taken: bool) -> str:
    """Return what an item means, or why it means nothing."""
    try:
        if taken:
            return repr(faro_items.read_by(*faro_pairs.take(text)))
        return repr(faro_items.read(logfmt.parse(text)))
    except (logfmt.Malformed, Unreadable) as reason:
        return f"{type(reason).__name__} {reason}"


def agrees(text: str) -> bool:
    """Return whether what is taken says what all pairs say."""
    return outcome(text, taken=True) == outcome(text, taken=False)


def test_real_items_are_read_alike() -> None:
    """Every item of the corpus and of a world."""
    wrong = [text for text in ITEMS if not agrees(text)]

    assert len(ITEMS) > 500
    assert wrong == []


@pytest.mark.parametrize("seed", range(8))
def test_changed_items_are_read_alike(seed: int) -> None:
    """Values, pairs and blanks put in, doubled, moved, taken away."""
    dice = random.Random(seed)
    wrong = [text for _ in range(1_500) if not agrees(text := changed(dice))]

    assert wrong == []


def changed(dice: random.Random) -> str:
    """Return an item to which something happened, once to three times."""
    text = dice.choice(ITEMS)
    for _ in range(dice.randrange(1, 4)):
        words = text.split(" ")
        at, to = dice.randrange(len(words)), dice.randrange(len(words))
        key, _, value = words[at].partition("=")
        bit = dice.choice(BITS)
        words[at : at + 1] = dice.choice(
            (
                [f"{key}={bit}"],
                [f"{key}={value}{bit}"],
                [f"{key}={quoted(value + bit)}"],
                [words[at], words[to]],
                [f"{key}={bit}", words[at]],
                [words[at], f"{words[to].partition('=')[0]}={bit}"],
                [words[at] + bit],
                [key],
                [],
            )
        )
        text = " ".join(words)
    return text or "a"


@given(
    st.sampled_from(("event", "measurement")),
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(BITS) | st.text(max_size=5)),
        min_size=1,
        max_size=12,
    ),
)
def test_any_pairs_are_read_alike(kind: str, pairs: list[tuple[str, str]]) -> None:
    """A reader looks at nothing else than what is taken for it."""
    told = [f"{key}={quoted(value)}" for key, value in pairs if value]

    assert agrees(" ".join([f"kind={kind}", *told]))


def test_only_what_is_needed_is_taken_where_compiled() -> None:
    """Of a web vital's twenty pairs, five; else the tests above would prove nothing."""
    plain = pytest.importorskip("app.events._plain")
    vitals = [text for text in ITEMS if " type=web-vitals " in text]
    taken = [faro_pairs.take(text)[1] for text in vitals]

    assert plain.scan(vitals[0], None) == logfmt.parse(vitals[0])
    assert len(vitals) > 100
    assert max(map(len, taken)) < 8 < min(map(len, map(logfmt.parse, vitals)))
