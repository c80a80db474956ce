"""No line stops a decoder, whatever strangers write; and a session always derives."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import Entry, SessionKey
from app.sessions.derive import derive
from app.sessions.fold import merge
from app.sessions.strands import session_of
from app.settings import MappingSettings, SourceSettings
from tests.corpus.worlds import entries
from tests.driver import decode

SOURCES = [
    SourceSettings(format="clm"),
    SourceSettings(format="clm", stitch_ms=1_000),
    SourceSettings(format="openobserve"),
    SourceSettings(format="langfuse"),
    *(
        SourceSettings(format="mapped", mapping=MappingSettings(preset=name, salt="s"))
        for name in ("nginx", "traefik", "otel")
    ),
]
CORPORA = ("clm", "openobserve", "langfuse")
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
    | st.sampled_from(["", "null", "NaN", "1e999", "[]", '{"a":1}', "-1", "9" * 40]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
MODELS = [
    (orjson.loads(entry.line), entry.labels)
    for name in CORPORA
    for entry in entries(name)[:300:5]
    if entry.line.startswith('{"') and entry.line.endswith("}")
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: each.format)
@settings(max_examples=150)
@given(data=st.data())
def test_no_line_stops_a_decoder(source: SourceSettings, data: Any) -> None:
    """A real line with anything in place of some of its values, or cut anywhere."""
    fields, labels = data.draw(st.sampled_from(MODELS))
    changed = dict(fields)
    for _ in range(data.draw(st.integers(0, 3))):
        _change(changed, data)
    line = orjson.dumps(changed).decode()
    cut = data.draw(st.none() | st.integers(0, len(line)))
    stamp = data.draw(st.sampled_from([1, 10**18, 1_795_003_200_000_000_000]))
    batch = decode([Entry(stamp, line[:cut], labels, {})] * 2, source)

    assert batch.decoded + sum(batch.dropped.values()) == 2
    for kept in (batch.events, batch.strands, batch.threads):
        for (app, own), events in kept.items():
            session_of(events)
            key = SessionKey("s", app, own)
            session = derive(key, merge([], events), batch.contexts, shape=batch.shape)
            assert 0 <= session.start <= session.end < 1 << 53
            assert 0 <= session.figures.cost < 1 << 62


def _change(fields: dict[str, Any], data: Any) -> None:
    """Put anything somewhere."""
    here: Any = fields
    for _ in range(3):
        name = data.draw(st.sampled_from(sorted(here)))
        if isinstance(here[name], dict) and here[name] and data.draw(st.booleans()):
            here[name] = dict(here[name])
            here = here[name]
            continue
        here[name] = data.draw(anything)
        return


@settings(max_examples=200)
@given(line=st.text(max_size=60), source=st.sampled_from(SOURCES))
def test_no_text_stops_a_decoder(line: str, source: SourceSettings) -> None:
    """Any text is an event or is dropped."""
    batch = decode([Entry(10**18, line, {"job": "x"}, {})], source)

    assert batch.decoded + sum(batch.dropped.values()) == 1
