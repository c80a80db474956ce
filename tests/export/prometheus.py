"""A real Prometheus, started for a test: scrapes Skald, is written to, is asked."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest
import requests
from werkzeug.serving import make_server

from app import create_app
from app.settings import Settings

FETCHED = Path(__file__).parents[2] / ".venv/prometheus/usr/bin"
_CONFIG = """\
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
storage: {{tsdb: {{out_of_order_time_window: 6h}}}}
scrape_configs:
- job_name: skald
  static_configs: [{{targets: [{target}]}}]
"""
Answer = TypeVar("Answer")
Samples = dict[str, list[tuple[int, float]]]  # app → ms, value


def program(name: str) -> str:
    """Return the path of prometheus or promtool; without, CI fails and others skip."""
    found = shutil.which(name) or shutil.which(name, path=str(FETCHED))
    if found is None:
        why = f"no {name} here: install it, or run .ci/prometheus .venv/prometheus"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return found


class Prometheus:
    """One Prometheus on one folder; may be killed and started again."""

    def __init__(self, folder: Path, target: str = "127.0.0.1:9") -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "prometheus.yml").write_text(_CONFIG.format(target=target))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def write_url(self) -> str:
        """Where it takes remote write."""
        return f"{self.url}/api/v1/write"

    def start(self) -> "Prometheus":
        """Start, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={self._folder}/prometheus.yml",
                    f"--storage.tsdb.path={self._folder}/data",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                    "--web.enable-remote-write-receiver",
                ],
                stdout=log,
                stderr=log,
            )
        eventually(lambda: requests.get(f"{self.url}/-/ready", timeout=5).ok)
        return self

    def kill(self) -> None:
        """Kill it without warning."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = None

    def ask(self, query: str, at: int) -> list[dict[str, Any]]:
        """Answer an instant query at *at*, ms."""
        answer = requests.get(
            f"{self.url}/api/v1/query",
            params={"query": query, "time": str(at / 1000)},
            timeout=10,
        ).json()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def samples(self, name: str, at: int) -> Samples:
        """Return what it holds of a series in the six hours before *at*."""
        found = self.ask(f'{{__name__="{name}",instance=""}}[6h]', at)
        return {
            each["metric"].get("app", ""): [
                (round(ts * 1000), float(value)) for ts, value in each["values"]
            ]
            for each in found
        }


def eventually(ask: Callable[[], Answer], seconds: float = 20.0) -> Answer:
    """Ask until the answer is true."""
    until = time.monotonic() + seconds
    while True:
        try:
            answer = ask()
        except requests.ConnectionError:
            answer = None  # type: ignore[assignment]
        if answer or time.monotonic() > until:
            assert answer, "it never came true"
            return answer
        time.sleep(0.1)


@contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[str]:
    """Serve Skald on the loopback."""
    port = port or free_port()
    server = make_server("127.0.0.1", port, create_app(settings), threaded=True)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port
