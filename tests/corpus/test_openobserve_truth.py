"""OpenObserve's sessions agree with the plan that made their events, field by field."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.measures import list_loads
from app.events import devices
from app.events.clean import path_of
from app.model import Kind, Session
from tests.corpus.worlds import differences, entries, index_of, truth
from tests.driver import Index

TRUTH = truth("openobserve")
VITALS = {
    "largest_contentful_paint": "lcp",
    "interaction_to_next_paint": "inp",
    "first_contentful_paint": "fcp",
    "first_byte": "ttfb",
}
CODES = {
    "United States": "US", "United Kingdom": "GB", "Germany": "DE", "Brazil": "BR",
    "India": "IN", "Japan": "JP", "France": "FR", "Canada": "CA", "Poland": "PL",
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: Any) -> Iterator[Index]:
    """Return the index of all lines, read in order."""
    made = index_of("openobserve", tmp_path_factory.mktemp("openobserve"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "told", TRUTH["sessions"], ids=lambda told: f"{told['note']}-{told['session_id']}"
)
def test_session_agrees_with_the_plan(index: Index, told: dict[str, Any]) -> None:
    """Every field of the truth that lines can tell."""
    session = index.session(told["session_id"], told["app"])

    assert list(differences(described(index, session), wanted(told))) == []


@pytest.mark.parametrize(
    "told", [told for told in TRUTH["sessions"] if told["web_vitals_ns"]]
)
def test_vitals_are_of_the_last_version(index: Index, told: dict[str, Any]) -> None:
    """The first view has the vitals that its last version says, in ms."""
    first = index.session(told["session_id"], told["app"]).views[0]
    vitals = told["web_vitals_ns"]
    said = {ours: vitals[name] / 1e6 for name, ours in VITALS.items() if name in vitals}

    assert {name: getattr(first, name) for name in said} == pytest.approx(said)
    assert first.cls == vitals.get("cumulative_layout_shift")


def test_application_is_known_by_both_names(index: Index) -> None:
    """A session is found by the application's id as well as by its service."""
    for told in TRUTH["sessions"]:
        by_name = index.session(told["session_id"], told["app"])
        by_id = index.session(told["session_id"], told["application_id"])

        assert by_name.start == by_id.start


def test_timeline_has_each_thing_once(index: Index) -> None:
    """The versions in which a view is told of are one event of the timeline."""
    for told in TRUTH["sessions"]:
        whole = index.reader.whole(told["app"], told["session_id"])
        assert whole is not None
        counts = Counter(Kind(event.kind) for _, event in whole.moments)
        raw = counts.pop(Kind.LOG, 0) + counts.pop(Kind.REPLAY, 0)

        assert counts[Kind.VISIT] == told["counts"]["views"]
        assert counts.total() == told["counts"]["unique_rum_events"]
        assert raw >= told["counts"]["replay_segments"]
        assert len({event.key for _, event in whole.moments}) == len(whole.moments)


def test_loads_are_of_documents(index: Index) -> None:
    """A load is listed once, with how long it took, and not how long it was looked at."""
    for told in TRUTH["sessions"]:
        whole = index.reader.whole(told["app"], told["session_id"])
        assert whole is not None
        loads = list_loads(whole.moments, whole.contexts)
        vitals = told["web_vitals_ns"]

        assert len(loads) <= told["counts"]["views"]
        if vitals:
            assert loads[0]["duration"] == vitals["loading_time"] / 1e6
            assert loads[0]["how"] == "initial_load"


def test_every_line_is_counted(index: Index) -> None:
    """What cannot be read is dropped by reason, the rest is read."""
    (status,) = index.reader.sources()

    assert sum(status.dropped.values()) == TRUTH["malformed_lines"]
    assert status.entries == len(entries("openobserve"))


def wanted(told: dict[str, Any]) -> dict[str, Any]:
    """Return the truth of a session, as far as it is about one session."""
    user = told["user"] or {}
    counts = dict(told["counts"])
    del counts["view_updates_raw"], counts["raw_lines"]
    names = ("env", "version", "session_type", "source", "start_ms", "end_ms", "pages")
    return counts | {name: told[name] for name in names} | {
        "app": told["app"],
        "user": tuple(user.get(name, "") for name in ("id", "name", "email")),
        "plan": user.get("plan"),
        "user_emails": told["user_emails"],
        "anonymous_id": told["anonymous_id"] or "",
        "duration_ms": told["duration_ms"],
        "last_event_date_ms": told["last_event_date_ms"],
        "view_names": told["view_names"],
        "entry": path_of(told["entry"] or ""),
        "exit": path_of(told["exit"] or ""),
        "bounce_single_view": told["bounce_single_view"],
        "has_replay": told["has_replay"],
        "o2_time_spent_ms": told["o2_time_spent_ms"],
        "country": CODES.get(told["country"], ""),
        "city": told["city"] or "",
        "browser": devices.browser(told["browser"] or ""),
        "os": devices.system(told["os"] or ""),
        "model": None if told["device"] in {None, "Other"} else told["device"],
    }  # fmt: skip


def described(index: Index, session: Session) -> dict[str, Any]:
    """Return a session in the words of the truth."""
    context, figures = session.context, session.figures
    attributes = dict(session.attributes)
    events, contexts = index.reader.events(session.key.app, session.key.id)
    emails = {
        contexts[e.context].user_id: contexts[e.context].user_email for e in events
    }
    dates = [event.at for event in events if event.kind != 14]
    return {
        "app": context.app,
        "env": context.environment,
        "version": context.version,
        "session_type": attributes.get("session.type", "user"),
        "source": attributes.get("session.platform", "browser"),
        "start_ms": session.start,
        "end_ms": session.end,
        "duration_ms": session.end - session.start,
        "last_event_date_ms": max(dates),
        "user": (context.user_id, context.user_name, context.user_email),
        "plan": attributes.get("user.plan"),
        "user_emails": [emails[user] for user in session.users if user in emails],
        "anonymous_id": context.anonymous,
        "views": session.view_count,
        "actions": session.action_count,
        "errors": session.errors,
        "resources": session.resources,
        "long_tasks": figures.long_tasks,
        "vitals": sum(event.kind == 7 for event in events),
        "frustrations": figures.frustrations,
        "http_errors": session.failed_requests,
        "crashes": figures.crashes,
        "log_errors": session.log_errors,
        "unique_rum_events": session.events,
        "replay_segments": figures.segments,
        "pages": [view.url for view in session.views],
        "view_names": [view.title or None for view in session.views],
        "entry": session.entry,
        "exit": session.exit,
        "bounce_single_view": session.view_count <= 1,
        "has_replay": figures.has_replay,
        "o2_time_spent_ms": figures.replay or None,
        "country": context.country,
        "city": context.city,
        "browser": context.browser,
        "os": context.os,
        "model": attributes.get("session.model"),
    }
