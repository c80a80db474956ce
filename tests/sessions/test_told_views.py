"""What one version of a view said of who and where stays, when a later one is silent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.model import Entry
from app.settings import HOUR, SourceSettings
from tests.build import DAY, MS
from tests.driver import Index

SOURCE = SourceSettings(name="rum", format="openobserve", lag_ms=0, horizon_ms=HOUR)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Return an index of a source of RUM events."""
    made = Index(tmp_path / "skald.db", SOURCE)
    yield made
    made.close()


def view(number: int, **more: Any) -> Entry:
    """Build one version of the view ``v`` of the session ``s``."""
    record = {
        "type": "view",
        "date": DAY + 1_000,
        "application": {"id": "shop"},
        "session": {"id": "s"},
        "view": {"id": "v", "url": "https://shop.example/cart", "time_spent": number},
        "_oo": {"document_version": number},
        **more,
    }
    at = (DAY + 2_000 + number) * MS
    return Entry(at, orjson.dumps(record).decode(), {"job": "rum"}, {})


def test_silent_update_keeps_user_and_release(index: Index) -> None:
    """An update that tells of time spent alone leaves the user and the release."""
    index.feed(view(1, usr={"id": "u1", "email": "a@b.c"}, version="1.4"), view(2))
    index.backfill()

    context = index.session("s", "shop").context
    assert (context.user_id, context.user_email, context.version) == (
        "u1",
        "a@b.c",
        "1.4",
    )


def test_two_users_are_not_mixed(index: Index) -> None:
    """A later user without an e-mail does not get that of the one before."""
    index.feed(view(1, usr={"id": "u1", "email": "a@b.c"}), view(2, usr={"id": "u2"}))
    index.backfill()

    context = index.session("s", "shop").context
    assert (context.user_id, context.user_email) == ("u2", "")
