"""Sessions agree with what the driver of a real browser did, however lines arrive."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import Entry, Session
from tests.build import MS
from tests.corpus.corpus import Truth, entries, path, truths
from tests.driver import SOURCE, Index
from tests.dump import dump

DIALECTS = ("lines", "lines-otel")
REAL = [truth for truth in truths() if truth.journey != "sampled-out"]
STEP = 1_500  # ms: the driver noted when a step ended, the browser when it began
DELIVERY = 500  # ms by which a corrected clock is off, for lines take time to arrive
SECTIONS = ("sessions", "views", "actions", "errors", "activity", "users", "attributes")


@pytest.fixture(scope="module", params=DIALECTS)
def corpus(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Index]:
    """Return the index of one dialect's lines, read in order."""
    index = Index(tmp_path_factory.mktemp("corpus") / "skald.db")
    index.feed(entries(request.param))
    index.backfill()
    yield index
    index.close()


EVERY_SESSION = pytest.mark.parametrize(
    "truth", REAL, ids=lambda truth: f"{truth.journey}-{truth.id}"
)


@EVERY_SESSION
def test_session_agrees_with_what_was_done(corpus: Index, truth: Truth) -> None:
    """Pages in order, loads, entry, exit, users, errors, actions: nothing is off."""
    session = corpus.session(truth.id, truth.told["app"])
    context, around = session.context, truth.around["context"]

    assert [view.page for view in session.views] == truth.pages
    assert described(session) == {
        "page_loads": truth.told["page_loads"],
        "spa_views": truth.told["spa_views"] + is_rotated(truth),
        "entry": path(truth.told["entry_page"]),
        "exit": path(truth.told["exit_page"]),
        "users": truth.told["user_ids"],
        "errors": truth.told["exceptions_sdk_sends"],
        "actions": truth.actions,
        "failed": truth.failed,
    }
    assert (context.app, context.version, context.sdk, context.environment) == (
        truth.told["app"],
        truth.told["app_version"],
        truth.told["sdk_version"],
        truth.around["environment"],
    )
    assert (context.browser, context.os, context.device, context.language) == (
        around["browser_family"],
        around["os_family"],
        around["device"],
        around["locale"],
    )


@EVERY_SESSION
def test_session_lasts_as_long_as_it_did(corpus: Index, truth: Truth) -> None:
    """Start and end are right to a step of the driver, whatever the browser's clock."""
    session = corpus.session(truth.id, truth.told["app"])
    skew = -truth.around["clock_skew_ms"]

    assert abs(session.start - truth.told["first_step_ms"]) <= STEP
    assert abs(session.end - truth.told["last_step_ms"]) <= STEP
    assert session.skew == pytest.approx(skew, abs=DELIVERY)
    assert session.clamped == 0


def test_no_session_is_missing_and_none_is_made_up(corpus: Index) -> None:
    """There are exactly the sessions of the truth; a sampled-out one sends nothing."""
    found = {(row["app"], row["id"]) for row in corpus.rows()}

    assert found == {(truth.told["app"], truth.id) for truth in REAL}


def test_every_line_is_understood(corpus: Index) -> None:
    """Nothing that a real SDK sends is dropped."""
    (source,) = corpus.reader.sources()

    assert source.dropped == {}
    assert source.decoded == source.entries == len(corpus.entries)


def test_json_says_what_logfmt_says(tmp_path: Path) -> None:
    """An item written as JSON means what it means in logfmt."""
    sample = entries("lines-json-sample")
    stamps = {(entry.ts, entry.labels["kind"]) for entry in sample}
    same = [e for e in entries("lines") if (e.ts, e.labels["kind"]) in stamps]
    as_json, as_logfmt = Index(tmp_path / "json.db"), Index(tmp_path / "logfmt.db")
    as_json.ingest(sample)
    as_logfmt.ingest(same)

    assert len(same) == len(sample)
    assert sections(as_json) == sections(as_logfmt)


def test_dialects_say_the_same(tmp_path: Path) -> None:
    """The OpenTelemetry dialect gives the sessions that Alloy's gives."""
    alloy, otel = Index(tmp_path / "alloy.db"), Index(tmp_path / "otel.db")
    alloy.ingest(entries("lines"))
    otel.ingest(entries("lines-otel"))

    assert [known(row) for row in alloy.rows()] == [known(row) for row in otel.rows()]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), batches=st.integers(1, 40))
def test_order_repeats_and_splits_make_no_difference(
    dialect: str, seed: int, batches: int
) -> None:
    """Lines shuffled, sent again with another stamp, and cut anywhere: the same index."""
    dice = random.Random(seed)
    lines = list(entries(dialect))
    again = [
        Entry(entry.ts + dice.choice((0, 1, 10**9)), *fields(entry))
        for entry in dice.sample(lines, 120)
    ]
    lines += again
    dice.shuffle(lines)

    assert derived([lines[n::batches] for n in range(batches)]) == whole(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=10)
@given(cuts=st.lists(st.floats(0, 1), max_size=30))
def test_runs_cut_anywhere_make_no_difference(dialect: str, cuts: list[float]) -> None:
    """However often the indexer runs while lines come in, the index is the same."""
    lines = entries(dialect)
    first, last = lines[0].ts // MS, lines[-1].ts // MS + 2
    with TemporaryDirectory() as folder:
        index = Index(Path(folder) / "skald.db", SOURCE)
        index.feed(lines)
        for share in [*sorted(cuts), 1.0]:
            index.run(now=first + round(share * (last - first)))
        found = sections(index)

    assert found == whole(dialect)


def described(session: Session) -> dict[str, object]:
    """Return what the truth tells of a session."""
    loads = sum(view.is_load for view in session.views)
    return {
        "page_loads": loads,
        "spa_views": session.view_count - loads,
        "entry": session.entry,
        "exit": session.exit,
        "users": list(session.users),
        "errors": session.errors,
        "actions": Counter(action.name for action in session.actions),
        "failed": session.failed_requests,
    }


def is_rotated(truth: Truth) -> bool:
    """Return whether the session also shows the page that was open when it began."""
    return len(truth.pages) > len(truth.told["pages"])


def fields(entry: Entry) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return all of an entry but its time."""
    return entry.line, entry.labels, entry.metadata


def known(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what one dialect cannot say."""
    return {name: value for name, value in row.items() if name != "country"}


_whole: dict[str, Any] = {}


def whole(dialect: str) -> Any:
    """Return what the index holds after reading all lines in order, once."""
    if dialect not in _whole:
        _whole[dialect] = derived([list(entries(dialect))])
    return _whole[dialect]


def derived(batches: list[list[Entry]]) -> Any:
    """Return what an index holds after those batches."""
    with TemporaryDirectory() as folder:
        index = Index(Path(folder) / "skald.db")
        for batch in batches:
            index.ingest(batch)
        return sections(index)


def sections(index: Index) -> Any:
    """Return everything derived from events, and let go of the index."""
    index.close()
    tables = dump(index.path)
    return [tables[name] for name in SECTIONS]
