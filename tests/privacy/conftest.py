"""Worlds as small as these keep what large row groups give, too."""

import pytest

from app.store.columns import keeping


@pytest.fixture(autouse=True)
def kept_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep of each row group what it gives to questions about pages."""
    monkeypatch.setattr(keeping, "LEAST", 1)
    monkeypatch.setattr(keeping, "MAX_SHARE", 9)
