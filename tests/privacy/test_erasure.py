"""After an erasure the index is as if the person had never come, whatever is read again."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from app.demo.world import World
from app.model import Entry
from app.settings import SourceSettings
from tests.build import HOUR, ms, page_load
from tests.corpus import worlds
from tests.driver import SOURCE, Index
from tests.privacy.oracle import (
    Group,
    Lines,
    batches,
    erase,
    everything,
    grouped,
    identities,
    lines_of,
    shuffled,
    without,
)
from tests.worlds import NOON

SIZE = 700  # lines a batch
Case = tuple[SourceSettings, list[Entry], dict[Group, Lines]]
NAMES = ("faro", "clm", "clm stitched", "clm split", "openobserve", "langfuse")
_TOGETHER = {
    "": {},
    "stitched": {"stitch_ms": HOUR // 2},
    "split": {"split_ms": 20_000},
}
_CASES: dict[str, Case] = {}


def case(name: str) -> Case:
    """Return source, lines and their groups; made once."""
    if name not in _CASES:
        source, told = SOURCE, list[Entry]()
        if name == "faro":
            world = World(5, sessions_per_hour=80, dialect="mixed")
            told = list(world.live(NOON - HOUR, NOON))
        else:
            form, _, together = name.partition(" ")
            more: dict[str, Any] = _TOGETHER[together]
            source = worlds.source(form, **more)
            told = [each for each in worlds.entries(form) if each.line]
        if name not in {"openobserve", "langfuse"}:
            told = [_quiet(each) if n % 3 else each for n, each in enumerate(told)]
        _CASES[name] = source, told, grouped(told, source)
    return _CASES[name]


def _quiet(entry: Entry) -> Entry:
    """Return a line that does not say who it was."""
    line = re.sub(r'"user_id": ?"[^"]*", ?|\buser_\w+=(?:"[^"]*"|\S+) ', "", entry.line)
    labels = {name: each for name, each in entry.labels.items() if name != "user_id"}
    return structs.replace(entry, line=line, labels=labels)


def users_of(name: str) -> list[str]:
    """Return everybody who is identified by somebody's line, most lines first."""
    counts: dict[str, int] = {}
    for lines in case(name)[2].values():
        for event, context in lines.told:
            for each in identities(event, context) | {context.anonymous}:
                counts[each] = counts.get(each, 0) + 1
    counts.pop("", None)
    return sorted(counts, key=lambda each: (-counts[each], each))


def built(path: Path, source: SourceSettings, parts: list[Any]) -> Index:
    """Return an index of batches."""
    index = Index(path, source)
    index.ingest(())
    for part in parts:
        index.ingest(part)
    return index


@pytest.mark.parametrize("which", [0, 3, 10])
@pytest.mark.parametrize("name", NAMES)
def test_erased_is_as_if_never_come(name: str, which: int, tmp_path: Path) -> None:
    """All tables, strings, rollups and columns are those of an index without the person."""
    source, told, groups = case(name)
    user = users_of(name)[which]
    gone = lines_of(groups, user)
    assert 0 < len(gone) < len(told)
    parts = batches(told, SIZE)
    index = built(tmp_path / "a.db", source, parts)
    everything(index)  # rollups and columns are there
    other = built(tmp_path / "b.db", source, [without(part, gone) for part in parts])

    done = erase(index, user)

    expected = everything(other)
    assert done.state == "done"
    assert done.sessions > 0
    assert everything(index) == expected
    index.ingest(each for each in gone if not _says_who(each, source))
    assert everything(index) == expected
    again = [index.ingest(part) for part in batches(shuffled(told, which), SIZE)]
    assert sum(each.dropped.get("erased", 0) for each in again) > 0
    assert _derived(everything(index)) == _derived(expected)
    (status,) = index.reader.sources()
    assert status.dropped["erased"] > 0
    for each in (index, other):
        each.close()


def _derived(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out strings: of sessions that are derived in another order others remain."""
    return {name: each for name, each in found.items() if name != "strings"}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3)
@given(which=st.integers(0, 30), seed=st.integers(0, 99), share=st.floats(0, 1))
def test_lines_that_come_after_the_erasure_do_not_matter(
    name: str,
    which: int,
    seed: int,
    share: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever was read before, and in whatever order the rest comes: nobody is back."""
    source, told, groups = case(name)
    users = users_of(name)
    user = users[which % len(users)]
    gone = lines_of(groups, user)
    mixed = shuffled(told, seed)
    cut = int(share * len(mixed))
    folder = tmp_path_factory.mktemp("late")
    index = built(folder / "a.db", source, batches(mixed[:cut], SIZE))

    erase(index, user)
    for part in batches(mixed[cut:], SIZE):
        index.ingest(part)

    if name == "openobserve":  # browsers are followed by what had been read alone
        gone = [each for each in gone if _names(each, source, user)]
        assert {_key(each, source) for each in gone}.isdisjoint(_keys(index))
    else:
        other = built(folder / "b.db", source, [without(mixed, gone)])
        assert _derived(everything(index)) == _derived(everything(other))
        other.close()
    index.close()


def _says_who(entry: Entry, source: SourceSettings) -> bool:
    (lines,) = grouped([entry], source).values()
    return any(identities(*each) for each in lines.told)


def _names(entry: Entry, source: SourceSettings, user: str) -> bool:
    (lines,) = grouped([entry], source).values()
    return any(user in identities(*each) for each in lines.told)


def _key(entry: Entry, source: SourceSettings) -> int:
    (lines,) = grouped([entry], source).values()
    return lines.told[0][0].key


def _keys(index: Index) -> set[int]:
    found: set[int] = set()
    for row in index.rows(limit=1000):
        events, _ = index.reader.events(row["app"], row["id"])
        found.update(event.key for event in events)
    return found


def test_what_is_received_later_is_kept(index: Index) -> None:
    """The same person may come again; only what was received before is gone."""
    index.ingest(page_load("s1", "10:00", user_id="u1"))
    erase(index, "u1", now=ms("11:00"))

    index.ingest(page_load("s1", "10:00", user_id="u1"))
    index.ingest(page_load("s1", "11:30", "/back", user_id="u1"))

    assert [(row["id"], row["views"]) for row in index.rows()] == [("s1", 1)]


def test_texts_of_events_that_turn_out_to_be_erased_go(index: Index) -> None:
    """A late line says whose the session was: what it held of before leaves no text."""
    index.ingest(page_load("s1", "10:00", "/of-nobody-yet"))
    index.ingest(page_load("s1", "11:30", "/back"))
    erase(index, "u1", now=ms("11:00"))

    index.ingest(page_load("s1", "10:01", user_id="u1"))

    assert [row["entry"] for row in index.rows()] == ["/back"]
    assert "/of-nobody-yet" not in everything(index)["strings"]
