"""The stand-in keeps lines and finds them as Loki does."""

from itertools import chain

import pytest
import requests

from tests.demo.shop import T0, ask, entry, lines, started

WORDS = ("alpha one", "beta two", 'gamma "three"', "back\\slash\nnew", "Zażółć ✓")


@pytest.mark.parametrize(
    ("pipeline", "found"),
    [
        ('|= "a"', (0, 1, 2, 3, 4)),
        ('|= "alpha"', (0,)),
        ('|= "alpha" or "beta"', (0, 1)),
        ('!= "a o"', (1, 2, 3, 4)),
        ('|~ "^(alpha|beta) "', (0, 1)),
        ('!~ "t"', (0, 3, 4)),
        ('|= "a" != "beta" |~ "[wo]"', (0, 3)),
        ('|= "\\"three\\""', (2,)),
        ('|= `"three"`', (2,)),
        ('|= "\\\\slash\\nnew"', (3,)),
        ('|= "hnnew"', ()),
        ('|= "nnew"', ()),
        ('|= "✓"', (4,)),
        ('|= "\\u2713"', (4,)),
        ('|= ""', (0, 1, 2, 3, 4)),
    ],
)
def test_line_filters_see_the_line_itself(pipeline: str, found: tuple) -> None:
    """Filters, chained or not, look at the line, never at how it is stored."""
    with started(*(entry(i, line) for i, line in enumerate(WORDS))) as loki:
        answer = ask(loki, '{app="shop"} ' + pipeline)

    assert lines(answer) == [WORDS[i] for i in found]


@pytest.mark.parametrize(
    ("selector", "apps"),
    [
        ('{app="a"}', "a"),
        ('{app!="a",kind="event"}', "b aa"),
        ('{app=~"a|b"}', "a b"),
        ('{app=~"a.*"}', "a aa"),
        ('{app!~"a.*",kind=~".+"}', "b"),
        ('{kind="event",missing=""}', "a b aa"),
        ('{missing="x"}', ""),
        ('{service_name="b"}', "b"),
    ],
)
def test_matchers_select_streams(selector: str, apps: str) -> None:
    """A pattern matches a whole value; a label that is not there is empty."""
    with started(*(entry(0, app, app) for app in ("a", "b", "aa"))) as loki:
        answer = ask(loki, selector)

    assert sorted(lines(answer)) == sorted(apps.split())


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("limit", [1, 3, 4, 7, 12, 100])
@pytest.mark.parametrize("pipeline", ["", '|= "n"'])
def test_limit_counts_over_all_streams(
    direction: str, limit: int, pipeline: str
) -> None:
    """The limit keeps the oldest, or the newest, of all streams together."""
    held = [entry(i // 2, f"n{i}", "abc"[i % 3]) for i in range(12)]
    with started(*held) as loki:
        answer = ask(loki, '{app=~".+"}' + pipeline, limit=limit, direction=direction)

    times = sorted((each.ts for each in held), reverse=direction == "backward")
    streams = [s["values"] for s in answer.json()["data"]["result"]]
    got = [[int(ts) for ts, _ in values] for values in streams]
    assert all(each == sorted(each, reverse=direction == "backward") for each in got)
    assert sorted(chain.from_iterable(got)) == sorted(times[:limit])


def test_paging_by_time_finds_every_entry_once_in_either_direction() -> None:
    """Windows that touch share no entry and lose none, duplicates aside."""
    held = [entry(i * 7, f"n{i}", "ab"[i % 2]) for i in range(50)]
    with started(*held, *held[:20]) as loki:
        windows = [range(a, a + 35) for a in range(0, 350, 35)]
        pages = [
            lines(ask(loki, '{app=~".+"}', start=T0 + w.start, end=T0 + w.stop))
            for w in windows
        ]

    assert sorted(chain.from_iterable(pages)) == sorted(each.line for each in held)


def test_which_of_equal_times_fall_under_the_limit_can_be_drawn() -> None:
    """A seed makes the choice among equal times differ from answer to answer."""
    held = [entry(0, f"n{i}") for i in range(50)]
    with started(*held, shuffle_ties_seed=1) as loki:
        draws = [lines(ask(loki, '{app="shop"}', limit=20)) for _ in range(3)]

    assert all(len(set(draw)) == 20 for draw in draws)
    assert len({frozenset(draw) for draw in draws}) == 3


def test_late_entries_take_their_place_in_time() -> None:
    """Entries loaded out of order are answered in order, and kept once."""
    order = [5, 1, 9, 3, 3, 7, 1]
    with started(*(entry(i, f"n{i}") for i in order)) as loki:
        answer = ask(loki, '{app="shop"}')

    assert lines(answer) == ["n1", "n3", "n5", "n7", "n9"]


def test_metadata_makes_an_entry_another_one() -> None:
    """Equal time and line with other metadata is another entry."""
    held = [entry(0, "x", page="a"), entry(0, "x", page="b"), entry(0, "x", page="a")]
    with started(*held) as loki:
        answer = ask(loki, '{app="shop"}')
        filtered = ask(loki, '{app="shop"} | page="b"')

    pages = [s["stream"]["page"] for s in answer.json()["data"]["result"]]
    assert sorted(pages) == ["a", "b"]
    assert lines(filtered) == ["x"]


@pytest.mark.parametrize(
    ("pipeline", "found"),
    [
        ('| logfmt | user="u1"', ["a"]),
        ('| logfmt | user=~"u.*" and ms > 5', ["b"]),
        ('| logfmt | ms <= 5 or user="u2"', ["a", "b"]),
        ('| logfmt | (user="u1", ms=5) or name="x y"', ["a", "b"]),
        ('| logfmt who="user" | who="u2"', ["b"]),
        ('| logfmt | app_extracted="other"', ["a"]),
        ('| logfmt | detected_level="error"', ["b"]),
        ('| json | __error__="JSONParserErr"', ["a", "b"]),
    ],
)
def test_label_filters_see_what_the_line_says(pipeline: str, found: list[str]) -> None:
    """Parsed fields can be compared as texts and as numbers, and combined."""
    a = "id=a user=u1 ms=5 app=other"
    b = 'id=b user=u2 ms=7.5 level=error name="x y"'
    query = '{app="shop"} ' + pipeline + ' | logfmt | line_format "{{.id}}"'
    with started(entry(1, a), entry(2, b)) as loki:
        answer = ask(loki, query)

    assert lines(answer) == found


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ('topk(3, sum(count_over_time({a="b"}[1m])))', "function 'topk'"),
        ('{app="shop"} | pattern "<_> x"', "stage '| pattern'"),
        ('{app="shop"} | logfmt | unwrap ms', "stage '| unwrap'"),
        ('{app="shop"} | logfmt | ms > 5s', "quantity '5s'"),
        ('{app="shop"} | line_format "{{.a | upper}}"', "template '{{.a | upper}}'"),
        ('sum(rate({app="shop"}[1m])) / 2', "operator '/'"),
        ('sum(rate({app="shop"}[1m] offset 1h))', "'offset'"),
        ('{app="shop"} |> "a<_>b"', "line filter '|>'"),
        ('{app="shop"} |= ip("10.0.0.0/8")', "line filter function 'ip'"),
    ],
)
def test_what_is_not_known_is_refused_by_name(query: str, named: str) -> None:
    """LogQL beyond the stand-in's part is a 400 that says which piece."""
    with started() as loki:
        answer = ask(loki, query)

    assert answer.status_code == 400
    assert answer.text == f"the stand-in Loki does not support {named}"


@pytest.mark.parametrize(
    "query",
    ["", "{", '{app="x"} |', '{app="x"} |= "\\q"', "sum(", '{app=~"("}', "{}", "§"],
)
def test_what_is_no_logql_is_a_parse_error(query: str) -> None:
    """Broken queries get a 400 that starts as Loki's does."""
    with started() as loki:
        answer = ask(loki, query)

    assert answer.status_code == 400
    assert answer.text.startswith("parse error")


def test_metadata_called_as_a_label_is_told_apart() -> None:
    """Structured metadata never hides a label of the stream."""
    with started(entry(0, "x", kind="mine")) as loki:
        answer = ask(loki, '{app="shop"} | kind="event" | kind_extracted="mine"')

    assert lines(answer) == ["x"]


@pytest.mark.parametrize(
    ("line", "metadata", "level"),
    [
        ("nothing to see", {}, "unknown"),
        ("an error occurred", {}, "error"),
        ("type=TypeError", {}, "unknown"),
        ("level=WARN an error", {}, "warn"),
        ('{"level": "debug", "x": "error"}', {}, "debug"),
        ("level=debug", {"severity": "Fatal"}, "fatal"),
        ("level=debug", {"detected_level": "mine"}, "mine"),
    ],
)
def test_levels_are_discovered(line: str, metadata: dict, level: str) -> None:
    """Every entry has a level: given, from a field, from a word, or unknown."""
    with started(entry(0, line, **metadata)) as loki:
        answer = ask(loki, '{app="shop"}')

    assert answer.json()["data"]["result"][0]["stream"]["detected_level"] == level


def test_discovery_can_be_switched_off() -> None:
    """A Loki that adds nothing answers the labels that were sent, and no others."""
    quiet = {"discover_service_name": False, "discover_log_levels": False}
    with started(entry(0, "an error"), **quiet) as loki:
        answer = ask(loki, '{app="shop"}')

    streams = [each["stream"] for each in answer.json()["data"]["result"]]
    assert streams == [{"app": "shop", "kind": "event"}]


def test_labels_are_categorised_for_who_asks() -> None:
    """Stream, metadata and parsed labels stay apart; entries share their stream."""
    held = [entry(0, "id=1", page="p"), entry(1, "id=2"), entry(2, "id=3 kind=x")]
    flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    asked = {"query": '{app="shop"} | logfmt', "start": T0, "end": T0 + 9}
    with started(*held) as loki:
        url = f"{loki.url}/loki/api/v1/query_range"
        answer = requests.get(url, params=asked, headers=flags, timeout=5)

    (stream,) = answer.json()["data"]["result"]
    extras = {line: extra for _, line, extra in stream["values"]}
    quiet = {"detected_level": "unknown"}
    assert stream["stream"].keys() == {"app", "kind", "service_name"}
    assert extras == {
        "id=1": {"structuredMetadata": quiet | {"page": "p"}, "parsed": {"id": "1"}},
        "id=2": {"structuredMetadata": quiet, "parsed": {"id": "2"}},
        "id=3 kind=x": {
            "structuredMetadata": quiet,
            "parsed": {"id": "3", "kind_extracted": "x"},
        },
    }
