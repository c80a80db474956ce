"""Whatever is written, the answer is settings or a list of problems."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.configuration.load import load_settings
from app.configuration.shape import LOKI, ROOT, SOURCE, leaves, variable
from app.configuration.units import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)
from app.errors import SettingsError

NAMES = [variable(path) for path in leaves(ROOT)]
NAMES += [variable(("sources", at, *path)) for at in (0, 1) for path in leaves(SOURCE)]
TEXTS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=40)
ODD = st.sampled_from(
    ["0", "-1", "1e9", "10s", "1h", "9" * 30, "http://[::1", "{", '{a="}"}', "~", "/"]
)
KEYS = st.sampled_from([*ROOT.keys, *SOURCE.keys, *LOKI.keys, "other", "a\nb"])
TREES = st.recursive(
    TEXTS | ODD | st.none() | st.integers() | st.booleans() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


def load(text: bytes) -> None:
    """Load *text* as a file; every problem has a place and is one line."""
    with TemporaryDirectory() as place:
        path = Path(place) / "skald.yml"
        path.write_bytes(text)
        try:
            load_settings(path, {})
        except SettingsError as err:
            title, *problems = str(err).splitlines()
            assert title.startswith(f"{len(problems)} problem")
            assert all(each.startswith(f"  {path}") for each in problems)


@given(st.dictionaries(KEYS, TREES, max_size=5))
def test_any_tree_is_answered(tree: dict[str, object]) -> None:
    """Keys at the wrong place, lists for texts, texts for lists: all are refused."""
    load(yaml.safe_dump(tree).encode(errors="replace"))


@given(st.binary(max_size=60) | TEXTS.map(str.encode))
def test_any_file_is_answered(text: bytes) -> None:
    """A file that is no YAML is refused with its name."""
    load(text)


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS | ODD, max_size=4))
def test_any_environment_is_answered(environ: dict[str, str]) -> None:
    """A variable holds anything at all, and ends in settings or in problems."""
    with suppress(SettingsError):
        load_settings(Path("/dev/null"), environ)


@given(st.integers(0, 10**13))
def test_durations_and_sizes_survive_writing(number: int) -> None:
    """What is shown is read as the same."""
    assert parse_duration(format_duration(number)) == number
    assert parse_size(format_size(number)) == number


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1 h", "-1s", "1hh", "1x", "h1", "\u0661s"]
)
def test_no_duration(text: str) -> None:
    """A number without a unit is refused, since nobody knows which was meant."""
    with pytest.raises(ValueError, match="write 500ms, 10s, 15m"):
        parse_duration(text)
