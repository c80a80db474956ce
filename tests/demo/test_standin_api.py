"""The stand-in takes pushes, keeps tenants apart, names what it holds, counts."""

import gzip
import json
import zlib

import pytest
import requests

from app.demo.standin import Auth, Count, Refused, StandIn
from app.demo.standin.times import go_duration, parse_instant, short_duration
from tests.demo.shop import SHOP, T0, S, ask, entry, lines, started

PACKINGS = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("age_s", [0, 3599, 3600])
def test_late_pushes_are_taken_for_an_hour(age_s: int) -> None:
    """A push may be up to an hour older than the newest line of its stream."""
    with started() as loki:
        loki.push(SHOP, [(T0, "newest")])
        loki.push(SHOP, [(T0 - age_s * S, "late")])
        answer = ask(loki, '{app="shop"}', start=T0 - 7200 * S)

    assert lines(answer) == (["late", "newest"] if age_s else ["newest", "late"])


def test_later_than_an_hour_is_too_far_behind() -> None:
    """What is more than an hour behind is refused, unless that is switched off."""
    with started() as loki, started(reject_late=False) as patient:
        for each in (loki, patient):
            each.push(SHOP, [(T0, "newest")])
        patient.push(SHOP, [(T0 - 3601 * S, "late")])
        with pytest.raises(Refused) as refused:
            loki.push(SHOP, [(T0 - 3601 * S, "late")])

    assert refused.value.text == (
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
        value = f'["{T0}","p\\ud800q"]'
        body = '{"streams":[{"stream":{"app":"shop"},"values":[' + value + "]}]}"
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


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"start": "soon"}, 'strconv.ParseInt: parsing "soon": invalid syntax'),
        ({"limit": "0"}, "limit must be a positive value"),
        ({"step": "0"}, "zero or negative query resolution step"),
        ({"step": "often"}, 'cannot parse "often" to a valid duration'),
        ({"step": "0.001"}, "exceeded maximum resolution of 11,000 points"),
        ({"since": "x", "start": ""}, 'not a valid duration string: "x"'),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params: dict, text: str) -> None:
    """Each gets a 400 that says which."""
    with started() as loki:
        answer = ask(loki, '{app="shop"}', **params)

    assert answer.status_code == 400
    assert answer.text.startswith(text)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{}", 400),
        ('{"streams":[{"stream":{"a":1},"values":[]}]}', 400),
        ('{"streams":[{"stream":{"a":"b"},"values":[["x","y"]]}]}', 400),
        ('{"streams":[{"stream":{"a":"b"},"values":[[1,"y"]]}]}', 400),
        (
            '{"streams":[{"stream":{"a":"b"},"values":[["9999999999999999999","y"]]}]}',
            400,
        ),
        ("", 400),
        ('{"streams":[]}', 422),
    ],
)
def test_pushes_that_make_no_sense_are_refused(body: str, status: int) -> None:
    """A broken body is the client's fault, always."""
    with started() as loki:
        url = f"{loki.url}/loki/api/v1/push"
        answer = requests.post(url, data=body, timeout=5)

    assert answer.status_code == status


def test_pushes_may_be_compressed() -> None:
    """A push with gzip or deflate counts like a plain one."""
    with started() as loki:
        url = f"{loki.url}/loki/api/v1/push"
        for i, (name, pack) in enumerate(PACKINGS.items()):
            stream = {"stream": {"app": "shop"}, "values": [[str(T0 + i), "x"]]}
            body = pack(json.dumps({"streams": [stream]}).encode())
            headers = {"Content-Encoding": name} if name else {}
            sent = requests.post(url, data=body, headers=headers, timeout=5)
            assert sent.status_code == 204
        answer = ask(loki, '{app="shop"}')

    assert lines(answer) == ["x"] * 3


def test_old_pushes_are_refused() -> None:
    """What is older than a week is too old to be pushed, not to be loaded."""
    with started() as loki:
        with pytest.raises(Refused, match="has timestamp too old: 2026-11-12"):
            loki.push(SHOP, [(T0 - 8 * 86_400 * S, "old")])
        assert loki.load([entry(-8 * 86_400 * S, "old")]) == 1


@pytest.mark.parametrize("path", ["tail", "patterns", "index/volume"])
def test_paths_that_are_not_known_are_named(path: str) -> None:
    """A path that Loki has and the stand-in has not is a 400, not a 404."""
    with started() as loki:
        answer = requests.get(f"{loki.url}/loki/api/v1/{path}", timeout=5)

    assert answer.status_code == 400
    assert path in answer.text


def test_instant_queries_are_for_numbers() -> None:
    """Lines cannot be asked for at an instant."""
    with started() as loki:
        url = f"{loki.url}/loki/api/v1/query"
        answer = requests.get(url, params={"query": '{app="shop"}'}, timeout=5)

    assert answer.status_code == 400
    assert answer.text.startswith("log queries are not supported as an instant query")
