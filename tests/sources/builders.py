"""Build small worlds and the sources that read them."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from app.demo.standin import StandIn
from app.model import Entry
from app.settings import LokiSettings, SourceSettings
from app.sources import LokiSource, Page

START = 1_795_161_240_000_000_000  # ns
SECOND = 1_000_000_000
SHOP = {"app": "shop"}
Key = tuple[object, ...]


def entry(at: int, line: str = "a line", **more: dict[str, str]) -> Entry:
    """Build an entry *at* ns after the start."""
    return Entry(START + at, line, more.get("labels", SHOP), more.get("metadata", {}))


def follow(loki: StandIn | str, **more: Any) -> LokiSource:
    """Build a source that waits for nothing; keywords are settings of Loki or below.

    ``selector``, ``wait``, ``stop``, ``now`` are the source's own.
    """
    own = {name: more.pop(name) for name in ("stop", "now") if name in more}
    own["wait"] = more.pop("wait", lambda _seconds: False)
    selector = more.pop("selector", '{app=~".+"}')
    url = loki if isinstance(loki, str) else loki.url
    settings = LokiSettings(**{"url": url, "timeout_s": 5.0, **more})
    return LokiSource(SourceSettings(selector=selector, loki=settings), **own)


def keys_of(pages: Iterable[Page]) -> list[Key]:
    """List what makes each entry itself, in the order of the pages."""
    return [
        (
            int(value[0]),
            value[1],
            tuple(sorted(stream.labels.items())),
            tuple(sorted(_metadata(value).items())),
        )
        for page in pages
        for stream in page.streams
        for value in stream.values
    ]


def key_of(given: Entry) -> Key:
    """Return what makes an entry itself."""
    labels, metadata = given.labels.items(), given.metadata.items()
    return given.ts, given.line, tuple(sorted(labels)), tuple(sorted(metadata))


def read_all(source: LokiSource, start: int, end: int) -> list[Key]:
    """Read every page of [start, end), check that they join, and list the entries."""
    pages = list(source.pages(start, end))
    edges = [start, *(page.end for page in pages)]
    assert [page.start for page in pages] == edges[:-1]
    assert edges[-1] == end
    for page in pages:
        found = keys_of([page])
        assert page.entries == len(found)
        assert all(page.start <= int(str(key[0])) < page.end for key in found)
    return keys_of(pages)


def _metadata(value: list[Any]) -> dict[str, str]:
    extra = value[2] if len(value) > 2 else {}
    metadata: dict[str, str] = extra.get("structuredMetadata", {})
    return metadata


@contextmanager
def raw_server(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """Serve what no honest server would say; give its URL.

    Args:
        answer: gets the connection and the request; the connection is closed after it.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def converse(connection: socket.socket) -> None:
        try:
            answer(connection, connection.recv(65_536))
        except OSError:
            pass
        finally:
            connection.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=converse, args=(connection,))
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for thread in threads:
            thread.join()


def http(body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    """Write an HTTP answer; a keyword replaces or adds a header."""
    fields = {
        "Content_Type": kind,
        "Content_Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {text}" for name, text in fields.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body
