"""A configuration file in a directory of its own."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from app.configuration.load import load_settings
from app.errors import SettingsError
from app.settings import Settings

Load = Callable[..., Settings]
Refuse = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a text as ``skald.yml`` of the working directory, and variables."""
    monkeypatch.chdir(tmp_path)

    def _load(text: str = "", **environ: str) -> Settings:
        if text:
            Path("skald.yml").write_text(dedent(text), encoding="utf-8")
        return load_settings(environ=environ)

    return _load


@pytest.fixture
def refuse(load: Load) -> Refuse:
    """Load what must be refused, and return what is said then."""

    def _refuse(text: str = "", **environ: str) -> str:
        with pytest.raises(SettingsError) as caught:
            load(text, **environ)
        return str(caught.value)

    return _refuse
