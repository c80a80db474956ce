"""The stand-in keeps lines and finds them as Loki does."""

import json

import pytest
import requests

from app.demo.standin import Auth, Count, Limits, Refused, StandIn
from app.demo.standin.times import go_duration, parse_instant, short_duration
from app.model import Entry

T0 = 1_795_161_240_000_000_000
S = 1_000_000_000
NOW_MS = T0 // 1_000_000 + 60_000
SHOP = {"app": "shop", "kind": "event"}


def entry(ts: int, line: str, app: str = "shop", **metadata: str) -> Entry:
    """Build an entry of the shop, *ts* ns after the start of the test's world."""
    return Entry(T0 + ts, line, {"app": app, "kind": "event"}, metadata)


def started(*entries: Entry, **limits: object) -> StandIn:
    """Start a stand-in that holds *entries*."""
    loki = StandIn(limits=Limits(**limits), now=lambda: NOW_MS)
    loki.load(entries)
    return loki


def ask(loki: StandIn, query: str, **params: object) -> requests.Response:
    """Ask for lines, the oldest first."""
    asked = {"query": query, "start": T0, "end": T0 + 60 * S, "direction": "forward"}
    url = f"{loki.url}/loki/api/v1/query_range"
    headers = {"Accept-Encoding": "identity"}
    return requests.get(url, params=asked | params, headers=headers, timeout=5)


def lines(answer: requests.Response) -> list[str]:
    """Return the lines of an answer, stream after stream."""
    assert answer.status_code == 200, answer.text
    return [v[1] for s in answer.json()["data"]["result"] for v in s["values"]]


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
    assert sorted(sum(got, [])) == sorted(times[:limit])


def test_paging_by_time_finds_every_entry_once_in_either_direction() -> None:
    """Windows that touch share no entry and lose none, duplicates aside."""
    held = [entry(i * 7, f"n{i}", "ab"[i % 2]) for i in range(50)]
    with started(*held, *held[:20]) as loki:
        windows = [range(a, a + 35) for a in range(0, 350, 35)]
        pages = [
            lines(ask(loki, '{app=~".+"}', start=T0 + w.start, end=T0 + w.stop))
            for w in windows
        ]

    assert sorted(sum(pages, [])) == sorted(each.line for each in held)


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


def series(answer: requests.Response) -> dict[str, list[str]]:
    """Return the values of each series by its labels."""
    assert answer.status_code == 200, answer.text
    return {
        json.dumps(each["metric"]): [value for _, value in each["values"]]
        for each in answer.json()["data"]["result"]
    }


@pytest.mark.parametrize("pipeline", ["", '|= "n"'])
def test_counts_exclude_the_start_of_their_range(pipeline: str) -> None:
    """A point at t counts (t - range, t], at every step from start to end."""
    held = [entry(i * S, f"n{i}", "ab"[i % 2]) for i in range(11)]
    query = 'sum(count_over_time({app=~".+"}' + pipeline + "[5s]))"
    with started(*held) as loki:
        answer = ask(loki, query, end=T0 + 10 * S, step=5)
        by = ask(loki, "sum by (app) " + query[3:], end=T0 + 10 * S, step="5s")

    assert series(answer) == {"{}": ["1", "5", "5"]}
    assert series(by) == {'{"app": "a"}': ["1", "2", "3"], '{"app": "b"}': ["3", "2"]}


def test_bytes_and_rates_are_counted() -> None:
    """Bytes are those of the UTF-8 line; a rate is a second's share."""
    held = [entry(S, "żółw"), entry(2 * S, "xx", level="x")]
    with started(*held) as loki:
        size = ask(loki, 'sum(bytes_over_time({app="shop"}[10s]))', start=T0 + 10 * S)
        rate = ask(loki, 'sum(rate({app="shop"}[10s]))', start=T0 + 10 * S)
        read = ask(
            loki, 'sum(bytes_over_time({app="shop"} != "q" [10s]))', start=T0 + 10 * S
        )

    assert series(size)["{}"][0] == series(read)["{}"][0] == "9"
    assert series(rate)["{}"][0] == "0.2"


def test_a_sum_counts_its_groups_against_the_series_limit() -> None:
    """A sum over many lines' labels passes; a count of as many groups does not."""
    held = [entry(i, f"id={i}") for i in range(20)]
    counts = 'count by (id) (count_over_time({app="shop"} | logfmt [1m]))'
    with started(*held, max_series=10) as loki:
        summed = ask(loki, 'sum(count_over_time({app="shop"} | logfmt [1m]))', step=60)
        counted = ask(loki, counts, step=60)

    assert series(summed) == {"{}": ["1", "19"]}
    assert counted.status_code == 400
    assert counted.text.startswith("maximum number of series (10) reached")


@pytest.mark.parametrize(
    ("age_s", "accepted"), [(3599, True), (3600, True), (3601, False)]
)
def test_an_hour_behind_is_too_far(age_s: int, accepted: bool) -> None:
    """A push may be up to an hour older than the newest line of its stream."""
    with started() as loki:
        loki.push(SHOP, [(T0, "newest")])
        late = T0 - age_s * S
        try:
            loki.push(SHOP, [(late, "late")])
            refused = ""
        except Refused as no:
            refused = no.text

    assert (refused == "") == accepted
    if not accepted:
        assert refused == (
            "entry with timestamp 2026-11-20 06:53:59 +0000 UTC ignored, reason: 'entry"
            " too far behind, entry timestamp is: 2026-11-20T06:53:59Z, oldest"
            " acceptable timestamp is: 2026-11-20T06:54:00Z',\nuser 'fake', total"
            ' ignored: 1 out of 1 for stream: {app="shop", kind="event",'
            ' service_name="shop"}\n'
        )


def test_good_entries_of_a_refused_push_are_kept() -> None:
    """One bad entry does not cost the others."""
    with started() as loki:
        with pytest.raises(Refused, match="too new"):
            loki.push(SHOP, [(T0, "good"), (T0 + 3600 * S, "new"), (T0 + 1, "fine")])
        answer = ask(loki, '{app="shop"}')

    assert lines(answer) == ["good", "fine"]


def test_lone_surrogates_become_replacement_characters() -> None:
    """What no UTF-8 can carry is replaced, in loads and in pushes."""
    with started(entry(0, "x\ud800y")) as loki:
        body = (
            '{"streams":[{"stream":{"app":"shop"},"values":[["%d","p\\ud800q"]]}]}' % T0
        )
        headers = {"Content-Type": "application/json"}
        push = requests.post(
            f"{loki.url}/loki/api/v1/push", data=body, headers=headers, timeout=5
        )
        answer = ask(loki, '{app="shop"}')

    assert push.status_code == 204
    assert sorted(lines(answer)) == ["p\ufffdq", "x\ufffdy"]


def test_tenants_see_their_own_lines_only() -> None:
    """Every tenant has data of its own, pushed, loaded and asked for."""
    with started(entry(0, "nobody's")) as loki:
        loki.load([entry(0, "a's")], tenant="a")
        url = f"{loki.url}/loki/api/v1/query_range"
        asked = {"query": '{app="shop"}', "start": T0, "end": T0 + S}
        answers = [
            requests.get(url, params=asked, headers=headers, timeout=5)
            for headers in ({}, {"X-Scope-OrgID": "a"}, {"X-Scope-OrgID": "b"})
        ]

    assert [lines(each) for each in answers] == [["nobody's"], ["a's"], []]


@pytest.mark.parametrize(
    ("auth", "headers", "status", "text"),
    [
        (Auth(tenants=True), {}, 401, "no org id\n"),
        (Auth(tenants=True), {"X-Scope-OrgID": "a"}, 200, None),
        (Auth(basic=("u", "p")), {}, 401, "Unauthorized\n"),
        (Auth(basic=("u", "p")), {"Authorization": "Basic dTpw"}, 200, None),
        (Auth(basic=("u", "p")), {"Authorization": "Basic dTpx"}, 401, None),
        (Auth(bearer="t"), {"Authorization": "Bearer t"}, 200, None),
        (Auth(bearer="t"), {"Authorization": "Bearer x"}, 401, "Unauthorized\n"),
    ],
)
def test_who_may_not_come_in_gets_a_401(
    auth: Auth, headers: dict, status: int, text: str | None
) -> None:
    """Tenants, passwords and tokens are asked for when the stand-in is told to."""
    with StandIn(auth=auth) as loki:
        url = f"{loki.url}/loki/api/v1/labels"
        answer = requests.get(url, headers=headers, timeout=5)

    assert answer.status_code == status
    assert text is None or answer.text == text


def test_labels_and_series_know_their_range() -> None:
    """Discovery names only streams that hold an entry in the asked range."""
    with started(entry(0, "a", "early"), entry(100 * S, "b", "late")) as loki:
        api = f"{loki.url}/loki/api/v1"
        early = {"start": T0, "end": T0 + S}
        values = requests.get(f"{api}/label/app/values", params=early, timeout=5)
        nothing = requests.get(
            f"{api}/labels", params={"start": 1, "end": 2}, timeout=5
        )
        form = {"match[]": ['{app="late"}', '{kind="event"}'], "end": T0 + 200 * S}
        posted = requests.post(f"{api}/series", data=form, timeout=5)

    assert values.json()["data"] == ["early"]
    assert nothing.json() == {"status": "success"}
    assert sorted(s["app"] for s in posted.json()["data"]) == ["early", "late"]


def test_loaded_lines_stand_in_the_index() -> None:
    """index/stats counts what was loaded."""
    with started(entry(0, "abc"), entry(S, "de")) as loki:
        url = f"{loki.url}/loki/api/v1/index/stats"
        asked = {"query": '{app="shop"}', "start": T0, "end": T0 + 10 * S}
        answer = requests.get(url, params=asked, timeout=5)

    assert answer.json() == {"streams": 1, "chunks": 1, "bytes": 5, "entries": 2}


def test_counters_count_requests_bytes_and_entries() -> None:
    """Each path has its counts; a path never asked for has none."""
    with started(entry(0, "a"), entry(1, "b")) as loki:
        sizes = [len(ask(loki, '{app="shop"}').content) for _ in range(3)]
        by_http = requests.get(f"{loki.url}/standin/counters", timeout=5).json()
        path = "/loki/api/v1/query_range"
        counted, never = loki.counters[path], loki.counters["/never"]
        loki.reset_counters()

        assert counted == Count(requests=3, bytes=sum(sizes), entries=6)
        assert by_http[path] == {"requests": 3, "bytes": sum(sizes), "entries": 6}
        assert never == Count()
        assert not loki.counters


def test_answers_are_compressed_for_who_asks() -> None:
    """The same answer, smaller; a client that does not ask gets it plain."""
    with started(*(entry(i, "x" * 100) for i in range(50))) as loki:
        plain = ask(loki, '{app="shop"}')
        url = plain.request.url or ""
        zipped = requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=5)
        sent = loki.counters["/loki/api/v1/query_range"].bytes - len(plain.content)

    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert lines(zipped) == lines(plain)
    assert sent < len(plain.content) / 5


@pytest.mark.parametrize(
    "text",
    [
        "1795161240000000000",
        "1795161240",
        "1795161240.000",
        "2026-11-20T07:54:00Z",
        "2026-11-20T08:54:00.000+01:00",
    ],
)
def test_instants_are_read_in_every_spelling(text: str) -> None:
    """Nanoseconds, seconds and RFC 3339 name the same instant."""
    assert parse_instant(text) == T0


def test_durations_are_written_in_both_spellings() -> None:
    """Go's spelling names every unit, Prometheus' only those that count."""
    assert go_duration(960 * 3600 * S) == "960h0m0s"
    assert go_duration(90 * S + S // 2) == "1m30.5s"
    assert short_duration(30 * 86400 + 3600) == "30d1h"
