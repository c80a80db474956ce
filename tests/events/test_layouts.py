"""What is read by a layout is what reading all pairs says, for any item."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events import faro_items, layouts, logfmt
from app.events.layouts import Layouts
from tests.events.test_fast_path import lines
from tests.events.test_logfmt import quoted

META = (" sdk_name=", " app_name=")
BITS = (
    "", "0", "1.5", "-1", "nan", "unknown", "x", "a=b", '"', '""', '"a b"', '"a=b"', '"a"b"',
    '"a\\"b"', "\\", '"\\"', "a\0b", "\n", "\t", "é", "9" * 30, "https://a.example/b",
    '"https://a.example/b?token=c"', " kind=log", " type=x", " event_name=a", " =", " a", " ",
    " value_lcp=1", " lcp=2", " context_element=y", " traceID=z", " event_data_duration=7",
    ' event_data_type="r', ' b"', " event_data_responseStatus", " value_lcp=", ' value_cls="1"',
)  # fmt: skip


def written(fields: dict[str, str]) -> str:
    """Write an item as a receiver does."""
    return " ".join(f"{key}={quoted(value)}" for key, value in fields.items())


def items() -> list[str]:
    """Return the items of real lines whose layout can be learned."""
    found = []
    for line in lines("lines") + lines("lines-otel") + lines("alloy"):
        ends = [line.find(meta) for meta in META if meta in line]
        begin = line.find("kind=")
        if ends and not line.startswith("{") and 0 < begin < min(ends):
            found.append(line[begin : min(ends)])
    return list(dict.fromkeys(found))


ITEMS = items()


def taught(known: list[str]) -> Layouts:
    """Return layouts learned from items."""
    reader = Layouts()
    for text in known:
        try:
            fields = logfmt.parse(text)
        except logfmt.Malformed:
            continue
        if reader.read(text) is None:
            reader.learn(text, fields)
    return reader


KNOWN = taught(ITEMS)


def whole(text: str) -> object:
    """Read all of an item."""
    return faro_items.read(logfmt.parse(text))


def agrees(text: str) -> bool:
    """Return whether the layouts leave *text* alone, or say what all pairs say."""
    item = KNOWN.read(text)
    return item is None or repr(item) == repr(whole(text))


def test_frequent_items_are_read_by_their_layout() -> None:
    """Nearly all events and measurements are; else the tests below would prove nothing."""
    told = [i for i in ITEMS if i.startswith(("kind=event", "kind=measurement"))]
    plain = [i for i in told if '"' not in i]

    assert len(plain) > 500
    assert all(KNOWN.read(text) is not None for text in plain)
    assert sum(KNOWN.read(text) is not None for text in told) > 0.95 * len(told)
    assert all(agrees(text) for text in ITEMS)


def test_address_in_quotes_is_read_by_a_layout() -> None:
    """Go quotes what holds ``=``, and so many addresses."""
    load = "kind=event event_name=faro.performance.resource event_data_duration=5"
    url = ' event_data_name="https://a.example/b?c='
    known = taught([load + url + '1"'])

    assert known.read(load + url + '2"') == (
        faro_items.RESOURCE,
        "https://a.example/b?c=",
        5.0,
        {},
    )
    for other in ('2" 3"', "2", '2\\""', '2"3"', '2"" a="', ""):
        assert known.read(load + url + other) is None


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


KEYS = sorted({key for text in ITEMS for key in logfmt.parse(text)} - {"kind"})


@given(
    st.sampled_from(("event", "measurement")),
    st.lists(
        st.tuples(st.sampled_from(KEYS), st.sampled_from(BITS) | st.text(max_size=5)),
        min_size=1,
        max_size=12,
    ),
)
def test_only_what_is_selected_counts(kind: str, pairs: list[tuple[str, str]]) -> None:
    """A reader looks at nothing else than what it says it wants."""
    fields = {"kind": kind} | {key: value for key, value in pairs if value}
    chosen = faro_items.select(fields)
    reader = faro_items.reader_of(fields)

    assert chosen is not None
    assert chosen.items() <= fields.items()
    assert repr(faro_items.read_by(reader, chosen)) == repr(faro_items.read(fields))


def test_layouts_flooding_in_take_bounded_memory() -> None:
    """Whoever sends ever new keys makes nothing grow without end."""
    reader = Layouts()
    for n in range(3 * layouts.REMEMBERED):
        reader.learn(
            text := f"kind=event event_name=x event_data_{n}=1", logfmt.parse(text)
        )
        assert reader.count <= layouts.REMEMBERED

    assert reader.read(text) is not None
