"""What asking again will not change is said once, with Loki's words and a remedy."""

from pathlib import Path

import pytest

from app.demo.standin import Auth, Fault, StandIn
from app.errors import SourceRefused, SourceUnavailable
from app.sources.loki import client
from tests.sources.builders import START, entry, follow, http, raw_server
from tests.sources.conftest import PLAIN

SECRET = "hush-7f3a"


def refusal_of(loki: StandIn | str, **settings: object) -> str:
    """Read from *loki*, which refuses, and return what is said."""
    source = follow(loki, **settings)
    with pytest.raises(SourceRefused) as caught:
        list(source.pages(START, START + 10))
    source.close()
    assert source.counters.requests <= 1
    assert source.counters.retries == 0
    return str(caught.value)


def test_a_bad_selector_is_answered_with_lokis_own_text(loki: StandIn) -> None:
    """A 400 is shown as it is, after one request."""
    said = refusal_of(loki, selector='{app=~".*"}')

    assert "queries require at least one regexp or equality matcher" in said


def test_a_selector_without_braces_is_refused_before_asking(loki: StandIn) -> None:
    """What is no selector at all never reaches Loki."""
    with pytest.raises(SourceRefused, match="is no LogQL selector"):
        follow(loki, selector="app=shop")


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (401, "Unauthorized", "check loki.token, loki.token_file"),
        (401, "no org id", "no org id: loki.tenant"),
        (403, "forbidden", "check loki.tenant and the permissions"),
        (404, "404 page not found", "check loki.url and its path prefix"),
        (302, "", "sends us elsewhere"),
        (404, "<html><body>nginx</body></html>", "a web page, not Loki's answer"),
    ],
)
def test_a_refusal_names_the_setting_to_look_at(
    loki: StandIn, status: int, body: str, remedy: str
) -> None:
    """Wrong token, wrong tenant, wrong address: each with its own remedy."""
    loki.faults = [Fault(status=status, body=body)]

    assert remedy in refusal_of(loki, token=SECRET)


@pytest.mark.parametrize(
    "body",
    [b"<html>log in</html>", b"[]", b'{"data":{"resultType":"vector"}}', b"null"],
)
def test_something_else_than_loki_is_found_out(body: bytes) -> None:
    """A server that answers 200 with no entries in it is no Loki."""
    with raw_server(lambda line, _asked: line.sendall(http(body))) as url:
        said = refusal_of(url)

    assert "check loki.url" in said


def test_an_endless_answer_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A body over the bound is dropped and refused."""
    monkeypatch.setattr(client, "MAX_ANSWER", 1 << 20)

    def pour(line: object, _asked: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"
        line.sendall(head)  # type: ignore[attr-defined]
        while True:
            line.sendall(b" " * 65_536)  # type: ignore[attr-defined]

    with raw_server(pour) as url:
        said = refusal_of(url)

    assert "more than 1 MiB at once" in said


@pytest.mark.parametrize(
    "url", ["localhost:3100", "ftp://loki", "http://", "http://[x"]
)
def test_an_address_that_is_none_is_refused_before_asking(url: str) -> None:
    """The setting is named, and what it looks like."""
    with pytest.raises(SourceRefused, match=r"loki\.url is not an http"):
        follow(url)


@pytest.mark.parametrize(
    "settings",
    [
        {"token": f"{SECRET}\n"},
        {"token": f"{SECRET}é\u2028"},
        {"tenant": "a\r\nX: b"},
        {"token_file": Path("/nonexistent")},
        {"ca_file": Path("/nonexistent"), "url_scheme": "https"},
    ],
)
def test_settings_that_cannot_be_sent_are_named(
    loki: StandIn, settings: dict[str, object]
) -> None:
    """Neither a crash nor a leak: the setting is named."""
    scheme = settings.pop("url_scheme", "http")
    said = refusal_of(loki.url.replace("http", str(scheme)), **settings)

    assert "loki." in said
    assert SECRET not in said


def test_secrets_are_in_no_message(loki: StandIn) -> None:
    """Credentials in the settings or in the address stay out of errors and reprs."""
    address = loki.url.replace("http://", f"http://me:{SECRET}@")
    loki.faults = [Fault(status=500)]
    source = follow(address, token=SECRET, password=SECRET, retries=1)

    with pytest.raises(SourceUnavailable) as caught:
        list(source.pages(START, START + 10))
    source.close()

    shown = f"{caught.value!r} {caught.value} {source.counters} {vars(source)}"
    assert "127.0.0.1" in str(caught.value)
    assert SECRET not in shown.replace(address, "")


def test_credentials_follow_no_redirect(loki: StandIn) -> None:
    """A redirect to another host is refused, not followed."""
    loki.load([entry(0)])
    seen: list[bytes] = []

    def elsewhere(line: object, asked: bytes) -> None:
        seen.append(asked)
        location = f"Location: {loki.url}/loki/api/v1/query_range\r\n"
        text = f"HTTP/1.1 307 Moved\r\n{location}Content-Length: 0\r\n\r\n"
        line.sendall(text.encode())  # type: ignore[attr-defined]

    with raw_server(elsewhere) as url:
        said = refusal_of(url, token=SECRET)

    assert "check loki.url" in said
    assert len(seen) == 1
    assert not loki.counters["/loki/api/v1/query_range"].requests


def test_a_tenant_without_a_name_is_refused() -> None:
    """A Loki with tenants says so, and so do we."""
    with StandIn(limits=PLAIN, auth=Auth(tenants=True)) as loki:
        assert "loki.tenant" in refusal_of(loki)
