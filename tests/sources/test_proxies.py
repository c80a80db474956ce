"""A Loki behind a proxy is read through it, as the environment says."""

import socket
from urllib.parse import urlsplit

import pytest

from app.demo.standin import StandIn
from app.errors import SourceUnavailable
from tests.sources.builders import START, entry, follow, http, raw_server, read_all

EMPTY = b'{"data":{"resultType":"streams","result":[]}}'


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give what sets the environment, in which no proxy is named so far."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_is_asked_for_the_whole_address(
    proxied: pytest.MonkeyPatch,
) -> None:
    """The proxy learns where to go, and who wants to."""
    asked: list[str] = []

    def answer(line: socket.socket, request: bytes) -> None:
        asked.append(request.decode())
        line.sendall(http(EMPTY))

    with raw_server(answer) as url:
        proxied.setenv("http_proxy", url.replace("http://", "http://me:p%40ss@"))
        source = follow("http://loki.invalid:3100/prefix", prefetch=1)
        read_all(source, START, START + 10)
        source.close()

    assert asked[0].startswith(
        "GET http://loki.invalid:3100/prefix/loki/api/v1/query_range?query="
    )
    assert "\r\nHost: loki.invalid:3100\r\n" in asked[0]
    assert "\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n" in asked[0]


def test_no_proxy_is_asked_where_none_should_be(
    loki: StandIn, proxied: pytest.MonkeyPatch
) -> None:
    """``no_proxy`` names networks as well as hosts."""
    loki.load([entry(0)])
    proxied.setenv("http_proxy", "http://127.0.0.1:1")
    proxied.setenv("no_proxy", "127.0.0.0/8")
    source = follow(loki)

    found = read_all(source, START, START + 10)
    source.close()

    assert len(found) == 1


def test_https_goes_through_a_tunnel(proxied: pytest.MonkeyPatch) -> None:
    """The proxy is told the host and the port, and sees no more of the request."""
    asked: list[bytes] = []

    def answer(line: socket.socket, request: bytes) -> None:
        asked.append(request)
        line.sendall(b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")

    with raw_server(answer) as url:
        proxied.setenv("https_proxy", f"http://me:secret@{urlsplit(url).netloc}")
        source = follow("https://loki.invalid", token="hush", retries=0, prefetch=1)
        with pytest.raises(SourceUnavailable, match="cannot connect to Loki"):
            list(source.pages(START, START + 10))
        source.close()

    assert asked[0].startswith(b"CONNECT loki.invalid:443 ")
    assert b"Proxy-Authorization: Basic " in asked[0]
    assert b"hush" not in asked[0]
