"""Serve the stand-in over HTTP on loopback, misbehaving when told to."""

import base64
import gzip
import hmac
import random
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import orjson

from app import clock
from app.demo.standin.answers import answer
from app.demo.standin.entries import Store
from app.demo.standin.exchange import TEXT, Asked, Reply
from app.demo.standin.faults import Fault, FaultBox
from app.demo.standin.limits import Limits
from app.demo.standin.traffic import Counters, Pace

NS_PER_MS = 1_000_000
GZIP_FROM_BYTES = 1400  # shorter bodies are never compressed
TENANT_HEADER = "x-scope-orgid"
NO_TENANT = "fake"  # Loki's own name for whoever gives none
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Auth:
    """What a request must bring; nothing set lets everyone in."""

    tenants: bool = False  # 401 without X-Scope-OrgID, as with Loki's auth_enabled
    basic: tuple[str, str] | None = None  # user and password
    bearer: str | None = None


class Server(ThreadingHTTPServer):
    """The stand-in's state, and a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        limits: Limits,
        auth: Auth,
        now: Callable[[], int],
    ) -> None:
        super().__init__(address, Handler)
        self.limits = limits
        self.auth = auth
        self.now = now  # epoch ms
        self.faults = FaultBox()
        self.counters = Counters()
        self.pace = Pace(limits.pace_lines_per_s)
        self.closing = threading.Event()
        seed = limits.shuffle_ties_seed
        self.dice = None if seed is None else random.Random(seed)
        self._stores: dict[str, Store] = {}
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def store(self, tenant: str = NO_TENANT) -> Store:
        """Return the data of one tenant."""
        with self._lock:
            if tenant not in self._stores:
                self._stores[tenant] = Store(self.limits, tenant)
            return self._stores[tenant]

    def connected(self, connection: socket.socket) -> None:
        """Remember an open connection."""
        with self._lock:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.discard(connection)

    def close(self) -> None:
        """Stop: end the loop, wake held requests, close every connection."""
        self.closing.set()
        self.shutdown()
        with self._lock:
            open_ones = list(self._connections)
        for connection in open_ones:
            _shut(connection)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Read a request, let the faults have their way, answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        """Make the connection known."""
        super().setup()
        self.server.connected(self.connection)

    def finish(self) -> None:
        """Close the connection, whatever state it is in."""
        self.server.disconnected(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def handle(self) -> None:
        """Serve requests until either side has enough."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Write no access log."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._serve()

    def _serve(self) -> None:
        """Serve one request.

        1. Faults that need no answer: wait, refuse.
        2. The answer, not before its pace allows.
        3. Faults of answers: too large, silent, cut.
        """
        arrived = clock.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        path = unquote(url.path)
        if path.startswith("/standin/"):
            self._send(path, _control(self.server, self.command, path, body))
            return
        if self._refused(path):
            return
        reply = self._answer(path, url.query, body)
        reply = _zipped(reply, self.headers.get("Accept-Encoding", ""))
        self._wait(self.server.pace.due(arrived, reply.entries) - clock.monotonic())
        fault = self.server.faults.after(path, len(reply.body))
        if reply.too_large or (fault and fault.silent_over_bytes is not None):
            self._stay_silent(path)
        else:
            self._send(path, reply, fault)

    def _refused(self, path: str) -> bool:
        refusal = None
        for fault in self.server.faults.before(path):
            self._wait(fault.delay_s)
            refusal = fault if fault.status else refusal
        if refusal is None:
            return False
        headers = (
            {}
            if refusal.retry_after_s is None
            else {"Retry-After": str(refusal.retry_after_s)}
        )
        status, kind = refusal.status or 500, refusal.content_type
        body = refusal.body.encode()
        self._send(path, Reply(body, status, kind, headers=headers))
        return True

    def _answer(self, path: str, query: str, body: bytes) -> Reply:
        headers = {name.lower(): value for name, value in self.headers.items()}
        refused = _unauthorized(self.server.auth, headers)
        if refused:
            return refused
        params = parse_qs(query, keep_blank_values=True)
        if headers.get("content-type", "").startswith(FORM):
            form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
            params = {**params, **form}
        asked = Asked(
            method=self.command,
            path=path,
            params=params,
            headers=headers,
            body=body,
            now_ns=self.server.now() * NS_PER_MS,
            dice=self.server.dice,
        )
        return answer(self.server.store(headers.get(TENANT_HEADER) or NO_TENANT), asked)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.server.closing.wait(seconds)

    def _stay_silent(self, path: str) -> None:
        self.server.counters.add(path, requests=1)
        self._wait(self.server.limits.hold_s)
        self.close_connection = True
        _shut(self.connection)

    def _send(self, path: str, reply: Reply, fault: Fault | None = None) -> None:
        body = reply.body
        self._head(reply)
        if fault and fault.cut_after_bytes is not None:
            body = body[: fault.cut_after_bytes]
            self.close_connection = True
        if not path.startswith("/standin/"):
            self.server.counters.add(
                path, requests=1, bytes=len(body), entries=reply.entries
            )
        self.wfile.write(body)
        self.wfile.flush()

    def _head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:  # noqa: PLR2004 - has no body, so no length
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()


def _zipped(reply: Reply, accepted: str) -> Reply:
    """Compress a body that is worth it, for who asks for it."""
    if len(reply.body) < GZIP_FROM_BYTES or "gzip" not in accepted:
        return reply
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    body = gzip.compress(reply.body, compresslevel=1, mtime=0)
    return replace(reply, body=body, headers={**reply.headers, **headers})


def _unauthorized(auth: Auth, headers: Mapping[str, str]) -> Reply | None:
    given = headers.get("authorization", "")
    wanted = []
    if auth.basic:
        pair = base64.b64encode(":".join(auth.basic).encode()).decode()
        wanted.append(f"Basic {pair}")
    if auth.bearer:
        wanted.append(f"Bearer {auth.bearer}")
    known = [hmac.compare_digest(given.encode(), each.encode()) for each in wanted]
    if wanted and not any(known):
        ask = {"WWW-Authenticate": 'Basic realm="stand-in"'} if auth.basic else {}
        return Reply(b"Unauthorized\n", 401, TEXT, headers=ask)
    if auth.tenants and not headers.get(TENANT_HEADER):
        return Reply(b"no org id\n", 401, TEXT)
    return None


def _control(server: Server, method: str, path: str, body: bytes) -> Reply:
    """Answer what is asked of the stand-in itself, not of Loki."""
    if path == "/standin/faults":
        return _control_faults(server, method, body)
    if path == "/standin/counters":
        if method == "DELETE":
            server.counters.reset()
        counts = {name: asdict(count) for name, count in server.counters.read().items()}
        return Reply(orjson.dumps(counts))
    return Reply(b"404 page not found\n", 404, TEXT)


def _control_faults(server: Server, method: str, body: bytes) -> Reply:
    if method == "POST":
        try:
            faults: Sequence[Fault] = msgspec.json.decode(body, type=tuple[Fault, ...])
        except msgspec.MsgspecError as err:
            return Reply(f"{err}\n".encode(), 400, TEXT)
        server.faults.set(faults)
    if method == "DELETE":
        server.faults.set(())
    return Reply(msgspec.json.encode(server.faults.get()))


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
