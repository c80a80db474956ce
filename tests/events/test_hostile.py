"""Lines are written by strangers: none stops a run, and none takes more than its room."""

import random

import msgspec
import orjson
import pytest

from app.events.decoder import Batch
from app.events.faro import FaroDecoder
from app.model import Session, SessionKey
from app.sessions.fold import fold
from tests.build import entry, item, js_error, line, ms, page_load
from tests.corpus.corpus import entries
from tests.driver import Index, decode

MOST = 24_000  # bytes that one event, or one context, may take
MEGABYTE = 1 << 20
LONG = "k" * MEGABYTE


def read(*lines: str) -> Batch:
    """Decode lines received at ten o'clock."""
    return decode([entry(each, "10:00") for each in lines])


def event(name: str, /, **data: str) -> str:
    """Write an event of the SDK, with its data."""
    told = {f"event_data_{key}": value for key, value in data.items()}
    return line("event", "s1", "10:00", event_name=name, **told)


def log(**fields: str) -> str:
    """Write a line of a log."""
    return line("log", "s1", "10:00", message="x", **fields)


def measured(kind: str, **fields: str) -> str:
    """Write a measurement."""
    return line("measurement", "s1", "10:00", type=kind, **fields)


def bounded(batch: Batch) -> bool:
    """Return whether everything in it takes no more than its room."""
    events = [event for group in batch.events.values() for event in group]
    kept = [*events, *batch.contexts.values(), *batch.events]
    return all(len(msgspec.msgpack.encode(each)) <= MOST for each in kept)


HUGE = {
    "value": line("log", "s1", "10:00", message=LONG),
    "key": event("x", **{LONG: "v"}),
    "context key": log(**{f"context_{LONG}": "v"}),
    "attribute key": log(**{f"session_attr_{LONG}": "v"}),
    "session": line("log", LONG, "10:00"),
    "url": log(page_url=f"https://x/{LONG}?{LONG}#{LONG}"),
    "name": event(LONG),
    "app": log(app_name=LONG),
    "user": log(user_id=LONG, user_email=LONG),
    "stack": line("exception", "s1", "10:00", type=LONG, value=LONG, stacktrace=LONG),
    "number": measured("x", value_n="1" * MEGABYTE),
    "plain number": measured("x", n="0." + "0" * MEGABYTE),
    "vital": measured("web-vitals", value_lcp="1", context_navigation_entry_id=LONG,
                      context_element=LONG),
    "load": event("faro.performance.navigation", faroNavigationId=LONG, type=LONG,
                  ttfb="9" * MEGABYTE),
    "resource": event("faro.performance.resource", name=LONG, initiatorType=LONG),
    "span": event("faro.tracing.fetch", **{"http.request.method": LONG, "url.full": LONG}),
    "trace": line("exception", "s1", "10:00", type="x", traceID=LONG, spanID=LONG),
    "action": event("faro.user.action", userActionName=LONG, userActionTrigger=LONG),
    "many keys": event("x", **{str(n): "v" * 900 for n in range(5_000)}),
    "many attributes": log(**{f"session_attr_{n}": "v" * 900 for n in range(5_000)}),
    "browser": log(browser_userAgent=LONG, browser_name=LONG, browser_os=LONG,
                   browser_language=LONG, view_name=LONG),
    "level": log(level=LONG),
    "deep json": "[" * 100_000,
    "deep object": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "json": orjson.dumps({"kind": "log", "session_id": "s1", "message": LONG,
                          f"context_{LONG}": LONG, "deep": [[[[LONG]]]]}).decode(),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_nothing_takes_more_than_its_room(name: str) -> None:
    """Megabytes in any one place are cut there, or the line is counted."""
    batch = read(HUGE[name])

    assert bounded(batch)
    assert batch.decoded + sum(batch.dropped.values()) == 1


REASONS = {
    "": "malformed",
    " ": "malformed",
    "\0\x01\xff": "not_faro",
    "connection reset by peer": "not_faro",
    '{"kind": "event"': "malformed",
    '[{"kind": "event"}]': "malformed",
    "{}": "not_faro",
    '{"kind": "event", "event_name": "x"}': "no_session",
    '{"kind": "event", "session_id": null}': "no_session",
    '{"kind": "hologram", "session_id": "s1"}': "unknown_kind",
    "level=info msg=hello caller=main.go:7": "not_faro",
    "kind=event event_name=x": "no_session",
    'kind=event event_name=x session_id="  "': "no_session",
    "kind=event event_name=x session_id=NULL": "no_session",
    "kind=event event_name=x session_id=undefined": "no_session",
    f"kind=event event_name=x session_id={'x' * 300}": "no_session",
    'kind=event message="open': "malformed",
    '127.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200': "malformed",
}


@pytest.mark.parametrize("text", REASONS)
def test_what_is_no_faro_line_is_counted_by_reason(text: str) -> None:
    """A reason says what is the matter: no logfmt, no Faro, no session."""
    assert read(text).dropped == {REASONS[text]: 1}


@pytest.mark.parametrize("dialect", ["lines", "lines-otel", "lines-json-sample"])
def test_lines_cut_anywhere_are_read_or_counted(dialect: str) -> None:
    """Wherever a line is cut, it is an event or a count, and the others are read."""
    dice = random.Random(3)
    whole = [each.line for each in entries(dialect)]
    cut = [each[: dice.randrange(len(each))] for each in whole * 3]
    batch = read(*cut, *whole)

    assert batch.decoded + sum(batch.dropped.values()) == batch.entries
    assert batch.decoded >= len(whole)
    assert bounded(batch)


def test_half_a_surrogate_pair_is_counted() -> None:
    """What UTF-8 cannot hold cannot be kept either, wherever it stands."""
    good = log(context_a="here")
    batch = read(good.replace("here", "\ud800"), good.replace("u", "\udfff"), good)

    assert (batch.decoded, batch.dropped) == (1, {"malformed": 2})


def test_binary_is_counted() -> None:
    """Random bytes, as UTF-8 or as Latin, are no lines of ours."""
    dice = random.Random(4)
    noise = [dice.randbytes(dice.randrange(1, 400)) for _ in range(500)]
    texts = [each.decode("latin-1") for each in noise]
    texts += [each.decode("utf-8", "replace") for each in noise]
    batch = read(*texts)

    assert (batch.decoded, sum(batch.dropped.values())) == (0, 1_000)


NUMBERS = ("nan", "NaN", "inf", "-inf", "1e999", "-1e300", "x", "0x10", "1_000", "٣")


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("key", ["value_lcp", "lcp"])
def test_numbers_are_finite(text: str, key: str) -> None:
    """No value is kept that is no number, and no page gets it."""
    vital = item("measurement", "s1", "10:00", **{"type": "web-vitals", key: text})
    session = folded(decode([*page_load("s1", "10:00"), *vital]))

    assert all(view.lcp is None or abs(view.lcp) < 1e15 for view in session.views)
    assert "nan" not in repr(session.views).lower()


def folded(batch: Batch) -> Session:
    """Fold the one session of a batch."""
    ((address, events),) = batch.events.items()
    return fold(SessionKey("faro", *address), events, batch.contexts)


TIMES = {
    "future": ms("10:00") + 3_660 * 86_400_000,
    "past": 0,
    "a day ahead": ms("10:00") + 86_400_000,
    "no time": -1,
}


@pytest.mark.parametrize("when", TIMES)
def test_impossible_times_are_taken_from_the_receipt(when: str) -> None:
    """One line from another age moves neither the start nor the end of its session."""
    usual = page_load("s1", "10:00:00")
    for n in range(1, 15):
        usual += js_error("s1", f"10:00:{n:02}", f"error {n}")
    at = TIMES[when]
    text = line("log", "s1", max(at, 0), message="strange")
    text = text if at >= 0 else text.replace("1970-01-01", "0001-01-01")
    session = folded(decode([*usual, entry(text, "10:00:10")]))

    assert session.start == ms("10:00:00") - 50
    assert session.end == ms("10:00:14")
    assert session.clamped == 1


def test_ids_flooding_in_take_bounded_memory() -> None:
    """A decoder remembers a bounded number of what repeats, whatever floods in."""
    decoder = FaroDecoder(remembered=500)
    for n in range(3_000):
        decoder._decode_line(
            f"timestamp=2026-11-20T10:00:00Z kind=log message=a app_name=a{n} session_id=s{n}"
            f" page_url=u{n} browser_name=b{n}",
            1,
        )
    sizes = decoder.metas.sizes()

    assert 0 < max(sizes) <= 500


def test_hostile_lines_reach_the_index_and_harm_nothing(index: Index) -> None:
    """All of it through the whole pipeline: the good session is as it was."""
    good = [*page_load("good", "10:00:00", "/"), *js_error("good", "10:00:30")]
    index.ingest(good)
    before = index.session("good")
    hostile = [*HUGE.values(), *REASONS]
    index.feed([entry(each, ms("10:00") + n) for n, each in enumerate(hostile)])
    index.feed(good)
    index.run(now="10:10")

    assert index.session("good") == before
    assert len(index.rows()) >= 2
    index.close()
    assert index.path.stat().st_size < MEGABYTE


@pytest.mark.parametrize("key", ["session_id", "app_name"])
def test_last_of_a_repeated_key_counts(key: str) -> None:
    """A key of the meta that stands twice has its last value."""
    again = {"session_id": "s2", "app_name": "other"}
    ((app, session),) = read(f"{log()} {key}={again[key]}").events

    assert (app == "other", session == "s2") == (key == "app_name", key == "session_id")


def test_same_line_is_the_same_event() -> None:
    """A line has the same key whenever it comes; another line has another."""
    text = log()
    lines = [entry(text, "10:00"), entry(text, "10:05"), entry(text + " ", "10:00")]
    (events,) = decode(lines).events.values()
    keys = [event.key for event in events]

    assert keys[0] == keys[1] != keys[2]
    assert events[1].received == ms("10:05") * 1_000


def test_addresses_are_redacted_wherever_they_stand() -> None:
    """A token in a URL is kept in no message, stack or attribute."""
    url = "https://shop.example.com/pay?token=s3cret&utm_source=n"
    lines = (
        log(context_next=url),
        line("log", "s1", "10:00:00", message=f"went to {url}"),
        line(
            "exception", "s1", "10:00:00", type="E", value=url, stacktrace=f"at {url}"
        ),
        line("event", "s1", "10:00:00", event_name="pay", event_data_to=url),
    )
    batch = read(*lines)

    assert batch.decoded == len(lines)
    assert "s3cret" not in str(batch.events)
    assert "utm_source=n" in str(batch.events)
