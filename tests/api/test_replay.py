"""Where the replay of a session can be watched."""

from msgspec.structs import replace

from app.api.portraits import replay_of
from app.model import Session, SessionKey
from app.settings import SourceSettings
from tests.build import page_load
from tests.driver import Index

LINK = "https://replay.example/{app}/{session}?from={start}"


def a_session(index: Index, *, has_replay: bool) -> Session:
    """Return a session with an id that must be quoted."""
    index.ingest(page_load("s1", at="10:00:00"))
    session = index.session("s1")
    figures = replace(session.figures, has_replay=has_replay)
    key = SessionKey("faro", "shop", "s/1?")
    return replace(session, key=key, figures=figures)


def test_replay_is_linked(index: Index) -> None:
    """The template of the session's source is filled in, and what it is filled with quoted."""
    session = a_session(index, has_replay=True)
    sources = [SourceSettings(name="faro", replay_link=LINK)]

    link = f"https://replay.example/shop/s%2F1%3F?from={session.start}"
    assert replay_of(session, sources) == link


def test_no_replay_is_no_link(index: Index) -> None:
    """Without a replay, or without a template, there is no link."""
    sources = [SourceSettings(name="faro", replay_link=LINK)]

    assert replay_of(a_session(index, has_replay=False), sources) is None
    assert replay_of(a_session(index, has_replay=True), [SourceSettings()]) is None
