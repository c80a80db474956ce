"""A receiver on the loopback that keeps what it takes and fails when told to."""

import contextlib
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import cramjam

from app.export.message import WriteRequest

Reply = tuple[int, dict[str, str], str]  # status, headers, text
Judge = Callable[["Got"], Reply | None]  # None = take it
TAKEN: Reply = (204, {}, "")


@dataclass(frozen=True)
class Got:
    """A request that came in."""

    headers: dict[str, str]
    series: list[tuple[dict[str, str], list[tuple[int, bytes]]]]  # bytes of the double

    @property
    def samples(self) -> list[tuple[str, int, float]]:
        """List app, time and value of every sample; a stale marker is NaN."""
        return [
            (labels.get("app", ""), at, struct.unpack("<d", value)[0])
            for labels, points in self.series
            for at, value in points
        ]


@dataclass
class Faulty:
    """Answers with *replies* as long as there are some, then as *judge* says."""

    replies: list[Reply] = field(default_factory=list)
    judge: Judge = lambda _: None
    taken: list[Got] = field(default_factory=list)
    seen: list[Got] = field(default_factory=list)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = Got(dict(self.headers), list(_read(body)))
                status, headers, text = outer.answer(got)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                with contextlib.suppress(OSError):  # who asked may be gone
                    self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/api/v1/write"

    @property
    def samples(self) -> list[tuple[str, int, float]]:
        """List what it took, in the order in which it came."""
        return [sample for got in self.taken for sample in got.samples]

    def answer(self, got: Got) -> Reply:
        """Decide about a request."""
        self.seen.append(got)
        reply = self.replies.pop(0) if self.replies else self.judge(got)
        if reply is None or reply[0] == TAKEN[0]:
            self.taken.append(got)
            return TAKEN
        return reply


def _read(
    body: bytes,
) -> Iterator[tuple[dict[str, str], list[tuple[int, bytes]]]]:
    request = WriteRequest.FromString(bytes(cramjam.snappy.decompress_raw(body)))
    for each in request.timeseries:
        names = [label.name for label in each.labels]
        assert names == sorted(names), "labels are not sorted"
        times = [sample.timestamp for sample in each.samples]
        assert times == sorted(times), "samples are not in order"
        labels = {label.name: label.value for label in each.labels}
        yield (
            labels,
            [(one.timestamp, struct.pack("<d", one.value)) for one in each.samples],
        )
