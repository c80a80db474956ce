"""Stand in for Loki: a real HTTP server on loopback that answers what a Loki answers.

It keeps lines in memory and is made for tests, benchmarks and the demo::

    with StandIn(limits=Limits(max_entries=100)) as loki:
        loki.load([Entry(ts=..., line="...", labels={"app": "shop"}, metadata={})])
        requests.get(f"{loki.url}/loki/api/v1/query_range", params={...})
        loki.counters["/loki/api/v1/query_range"].entries

What it answers is checked against recorded answers of a real Loki 3. It differs where
that is said: regular expressions are Python's (``stages``), LogQL is a part of LogQL
(``logql``), tenants are kept apart even without ``auth_enabled``, and ``index/stats``
counts what was loaded, not what was pushed. ``python -m app.demo.standin --load F``
runs one with the lines of a file in a process of its own. By HTTP, ``GET|DELETE /standin/counters``
reads and resets the counters, ``GET|POST|DELETE /standin/faults`` the faults.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

import orjson

from app import clock
from app.demo.standin.entries import Store
from app.demo.standin.errors import Refused
from app.demo.standin.faults import Fault, refusals
from app.demo.standin.limits import Limits
from app.demo.standin.push import push
from app.demo.standin.server import NO_TENANT, NS_PER_MS, Auth, Server
from app.demo.standin.traffic import Count
from app.model import Entry, Labels

__all__ = ["Auth", "Count", "Fault", "Limits", "Refused", "StandIn", "refusals"]


class StandIn:
    """A running stand-in; it listens from the moment it is made."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        faults: Sequence[Fault] = (),
        auth: Auth | None = None,
        now: Callable[[], int] = clock.now,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """Start to listen.

        Args:
            limits: Loki's defaults when not given.
            faults: how to misbehave from the start.
            auth: what requests must bring; nothing when not given.
            now: epoch ms; pushed entries and default ranges are measured against it.
            host: address to listen on.
            port: 0 takes a free one.
        """
        server = Server((host, port), limits or Limits(), auth or Auth(), now)
        self.server = server
        self.faults = faults
        self.url = f"http://{host}:{server.server_address[1]}"
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and close all connections."""
        self.server.close()
        self._thread.join()

    def store(self, tenant: str = NO_TENANT) -> Store:
        """Return the data of one tenant."""
        return self.server.store(tenant)

    def load(self, entries: Iterable[Entry], tenant: str = NO_TENANT) -> int:
        """Keep *entries* unchecked; return how many were new."""
        return self.store(tenant).load(entries)

    def push(
        self,
        labels: Labels,
        values: Iterable[tuple[int, str] | tuple[int, str, Labels]],
        tenant: str = NO_TENANT,
    ) -> None:
        """Push entries of one stream (epoch ns, line, metadata) as a client would.

        Raises:
            Refused: in Loki's words.
        """
        rows = [[str(ts), *rest] for ts, *rest in values]
        body = orjson.dumps({"streams": [{"stream": labels, "values": rows}]})
        now_ns = self.server.now() * NS_PER_MS
        push(self.store(tenant), body, {}, now_ns)

    @property
    def counters(self) -> Mapping[str, Count]:
        """Return the counts by path; a path never asked for counts nothing."""
        return defaultdict(Count, self.server.counters.read())

    def reset_counters(self) -> None:
        """Start to count from nothing."""
        self.server.counters.reset()

    @property
    def faults(self) -> Sequence[Fault]:
        """Return the faults as they were set; setting them starts their counts anew."""
        return self.server.faults.get()

    @faults.setter
    def faults(self, faults: Sequence[Fault]) -> None:
        self.server.faults.set(faults)
