"""URLs among attributes are kept without what must not be kept."""

from pathlib import Path

from tests.build import page_load
from tests.driver import Index


def test_faro_attributes_are_redacted(tmp_path: Path) -> None:
    """An application may put a whole URL, with its token, into an attribute."""
    index = Index(tmp_path / "skald.db")
    came = "https://mail.example/open?token=secret&utm_source=news"
    index.feed(page_load("s", "10:00", session_attr_came=came, user_attr_plan="gold"))
    index.backfill()

    attributes = dict(index.session("s").attributes)
    index.close()

    assert attributes == {
        "session.came": "https://mail.example/open?token=&utm_source=news",
        "user.plan": "gold",
    }
