"""The format of a stream is told from its lines, and what to configure is right."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.configuration.load import load_settings
from app.events.recognise import attempt, block, recognise
from app.model import Entry
from app.settings import SourceSettings
from tests.build import page_load
from tests.corpus.worlds import entries
from tests.events.test_mapped import access

SAMPLES = {
    "faro": page_load("s1", "10:00"),
    "clm": list(entries("clm"))[:50],
    "openobserve": list(entries("openobserve"))[:50],
    "langfuse": list(entries("langfuse"))[:50],
    "mapped": [access(0), access(5)],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_format_is_recognised(name: str, tmp_path: Path) -> None:
    """The block to paste is a configuration that reads those lines."""
    found = recognise(SourceSettings(name="logs"), SAMPLES[name])
    assert found is not None
    (tmp_path / "skald.yml").write_text(block(found.settings))
    (tmp_path / "salt.txt").write_text("secret")
    (source,) = load_settings(tmp_path / "skald.yml", {}).sources

    assert source.format == name
    assert attempt(source, SAMPLES[name]).decoded == found.decoded > 0


@pytest.mark.parametrize("name", ["clm", "openobserve", "langfuse"])
@given(data=st.data())
def test_any_part_of_a_stream_tells_its_format(name: str, data: st.DataObject) -> None:
    """Also with lines among them that are broken, and labels that name a session."""
    lines = entries(name)
    start = data.draw(st.integers(0, len(lines) - 30))
    part = list(lines[start : start + data.draw(st.integers(30, 100))])

    found = recognise(SourceSettings(), part)

    assert found is not None
    assert found.settings.format == name


def test_lines_of_nothing_are_not_recognised() -> None:
    """Chatter has no format."""
    chatter = [Entry(1, "Listening on port 80", {"job": "x"}, {})]

    assert recognise(SourceSettings(), chatter) is None


def test_dropped_lines_are_shown_by_reason() -> None:
    """What is not used is told apart by why."""
    trial = attempt(SourceSettings(format="clm"), SAMPLES["faro"])

    assert list(trial.dropped) == ["malformed"]
    assert len(trial.dropped["malformed"]) == trial.lines
