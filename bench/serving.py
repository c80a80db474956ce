"""Ask `skald serve` as many browsers would, and count its answers."""

import http.client
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

DAY, HOUR = 86_400_000, 3_600_000  # ms
WORKERS, THREADS = 2, 4
CONNECTIONS = 4
SECONDS = 8.0
WAIT_S = 30.0  # for the service to start

# a dashboard's first row, and what is usually below it
ROW = (
    "sessions", "active_users", "views_per_session", "duration_p95", "bounce_rate",
    "error_rate",
)  # fmt: skip
SERIES = ("sessions", "error_rate", "lcp_p75")


def serve(path: Path) -> list[dict[str, object]]:
    """Return a row a way of asking: answers a second, and how long they took.

    ``moving``: every question is about another range, so that each is worked out.
    ``same``: all viewers look at the same range, and answers are remembered.
    """
    lite = sqlite3.connect(path)
    last = lite.execute("select max(start) from sessions").fetchone()[0]
    lite.close()
    rows = []
    for is_moving in (True, False):
        with service(path) as (port, process):
            row = _ask(port, last, is_moving=is_moving)
            rows.append(row | {"peak_mb": _peak_mb(process)})
    return rows


def _peak_mb(process: int) -> float:
    """Return the most memory that one of the processes of a service had."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    peaks = [
        int(line.split()[1]) / 1024
        for child in children
        for line in Path(f"/proc/{child}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max(peaks)


@contextmanager
def service(path: Path) -> Iterator[tuple[int, int]]:
    """Run `skald serve` over an index; give its port and its process.

    Raises:
        RuntimeError: it did not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = {
        **os.environ,
        "SKALD_INDEX": str(path),
        "SKALD_PORT": str(port),
        "SKALD_HOST": "127.0.0.1",
    }
    arguments = ["--workers", str(WORKERS), "--threads", str(THREADS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", *arguments],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if _get(http.client.HTTPConnection("127.0.0.1", port), "/readyz") > 0:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("skald serve did not start")


def _questions(last: int, moves: Iterator[int], *, is_moving: bool) -> Iterator[str]:
    """Yield paths: the row over a day and a month, then the series, over and over."""
    while True:
        for days, step in ((1, HOUR), (30, 6 * HOUR)):
            for number, name in enumerate((*ROW, *SERIES)):
                moved = next(moves) * 61_000 if is_moving else 0
                asked = {
                    "metric": name,
                    "from": last - days * DAY - moved,
                    "to": last - moved,
                }
                if number < len(ROW):
                    yield f"/api/v1/query?{urlencode(asked)}"
                else:
                    asked["step"] = f"{step}ms"
                    yield f"/api/v1/query_range?{urlencode(asked)}"


def _ask(port: int, last: int, *, is_moving: bool) -> dict[str, object]:
    moves = count()
    taken: list[float] = []
    ends = time.monotonic() + SECONDS

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for path in _questions(last, moves, is_moving=is_moving):
            began = time.perf_counter()
            _get(connection, path)
            taken.append((time.perf_counter() - began) * 1_000)
            if time.monotonic() > ends:
                break
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    taken.sort()
    return {
        "asked": "moving" if is_moving else "same",
        "answers_per_s": len(taken) / SECONDS,
        "p50_ms": statistics.median(taken),
        "p95_ms": taken[int(len(taken) * 0.95)],
        "workers": WORKERS,
        "connections": CONNECTIONS,
    }


def _get(connection: http.client.HTTPConnection, path: str) -> int:
    """Return the bytes of an answer.

    Raises:
        RuntimeError: it is a refusal.
    """
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:  # noqa: PLR2004
        raise RuntimeError(f"{path}: {response.status} {body[:200]!r}")
    return len(body)
