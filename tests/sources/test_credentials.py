"""Loki learns who is asking, over a connection that is checked."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from app.demo.standin import Auth, StandIn
from app.errors import SourceRefused
from tests.sources.builders import START, entry, follow, http, raw_server, read_all
from tests.sources.conftest import PLAIN

OPENSSL = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=loki",
    "-addext",
    "subjectAltName=IP:127.0.0.1",
]
EMPTY = b'{"data":{"resultType":"streams","result":[]}}'


def test_each_tenant_reads_its_own(loki: StandIn) -> None:
    """The tenant goes along as X-Scope-OrgID."""
    loki.load([entry(0, "of a")], "a")
    loki.load([entry(0, "of b")], "b")
    source = follow(loki, tenant="b")

    found = read_all(source, START, START + 10)
    source.close()

    assert [key[1] for key in found] == ["of b"]


def test_basic_auth_comes_from_settings_or_address() -> None:
    """``http://user:password@host`` is as good as two settings."""
    with StandIn(limits=PLAIN, auth=Auth(basic=("me", "p:wörd"))) as loki:
        loki.load([entry(0)])
        address = loki.url.replace("http://", "http://me:p%3Aw%C3%B6rd@")
        by_settings = follow(loki, username="me", password="p:wörd")
        by_address = follow(address)
        found = [
            read_all(source, START, START + 10) for source in (by_settings, by_address)
        ]
        by_settings.close()
        by_address.close()

    assert [len(each) for each in found] == [1, 1]


def test_a_token_file_may_rotate(tmp_path: Path) -> None:
    """The file is read again when it changes, within a run."""
    token_file = tmp_path / "token"
    token_file.write_text("old\n")
    with StandIn(limits=PLAIN, auth=Auth(bearer="old")) as loki:
        loki.load([entry(at) for at in range(100)])
        source = follow(loki, token_file=token_file, limit=10, prefetch=1)
        pages = source.pages(START, START + 100)
        entries = next(pages).entries
        token_file.write_text("newer\n")
        loki.server.auth = Auth(bearer="newer")

        try:
            entries += sum(page.entries for page in pages)
        except SourceRefused:  # one request was on its way with the old token
            entries = sum(page.entries for page in source.pages(START, START + 100))
        source.close()

    assert entries == 100


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    """No token at all is a mistake, not an anonymous request."""
    token_file = tmp_path / "token"
    token_file.touch()
    source = follow("http://127.0.0.1:1", token_file=token_file)

    with pytest.raises(SourceRefused, match=r"is empty; check loki.token_file"):
        list(source.pages(START, START + 10))
    source.close()


def test_headers_say_who_we_are_and_what_we_take() -> None:
    """No compression unless set, metadata apart, a name to find in Loki's log."""
    asked: list[str] = []

    def answer(line: object, request: bytes) -> None:
        asked.append(request.decode())
        line.sendall(http(EMPTY))  # type: ignore[attr-defined]

    with raw_server(answer) as url:
        for gzip in (False, True):
            source = follow(f"{url}/prefix/", gzip=gzip)
            read_all(source, START, START + 10)
            source.close()

    plain, packed = asked
    assert plain.startswith("GET /prefix/loki/api/v1/query_range?query=")
    assert "User-Agent: skald" in plain
    assert "Accept-Encoding: identity" in plain
    assert "X-Loki-Response-Encoding-Flags: categorize-labels" in plain
    assert "Authorization" not in plain
    assert "Accept-Encoding: gzip" in packed


def test_compressed_answers_are_read(loki: StandIn) -> None:
    """With gzip the wire carries less, the pages hold the same."""
    loki.load([entry(at, "x" * 500) for at in range(100)])
    source = follow(loki, gzip=True)

    found = read_all(source, START, START + 100)
    source.close()

    assert len(found) == 100
    assert loki.counters["/loki/api/v1/query_range"].bytes < 20_000


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_a_certificate_is_checked_against_the_ca_file(
    loki: StandIn, tmp_path: Path
) -> None:
    """A private CA is trusted when it is given, and not otherwise."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [*OPENSSL, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    plain = loki.server.socket
    loki.server.socket = context.wrap_socket(plain, server_side=True)
    loki.load([entry(0)])
    url = loki.url.replace("http:", "https:")
    trusting, doubting = follow(url, ca_file=certificate), follow(url)

    found = read_all(trusting, START, START + 10)
    with pytest.raises(SourceRefused, match=r"loki\.ca_file"):
        read_all(doubting, START, START + 10)
    trusting.close()
    doubting.close()

    assert len(found) == 1
