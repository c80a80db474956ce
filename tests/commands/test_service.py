"""The service starts, answers, and stops when it is told to."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from app import clock

ROOT = Path(__file__).parents[2]
Configure = Callable[..., Path]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def started(*arguments: str, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process of its own; it must end by SIGTERM, with 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "SKALD_PORT": str(port or free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0, output
        assert "Traceback" not in output
    finally:
        process.kill()
        process.communicate()


def answer(url: str, process: subprocess.Popen[str]) -> requests.Response:
    """Ask until there is an answer."""
    end = clock.monotonic() + 30
    while True:
        try:
            return requests.get(url, timeout=10)
        except requests.ConnectionError:
            assert process.poll() is None, process.communicate()[0]
            assert clock.monotonic() < end
            clock.sleep(0.05)


def wait_for(url: str, process: subprocess.Popen[str], wanted: float) -> None:
    """Ask until there are as many sessions as wanted."""
    end = clock.monotonic() + 30
    while True:
        (row,) = answer(url, process).json()
        if row["sessions"] == wanted:
            return
        assert clock.monotonic() < end, row
        clock.sleep(0.1)


def test_run_indexes_and_answers(configure: Configure) -> None:
    """One process does all: it reads Loki, answers, and stops in order."""
    port = free_port()
    with started("--config", str(configure()), "run", port=port) as process:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/api/v1/query?metric=sessions&from=now-1h", process, 2)

        assert requests.get(f"{base}/readyz", timeout=5).status_code == 200


def test_worker_indexes_and_serve_answers(configure: Configure) -> None:
    """The same in two kinds of processes, on one file."""
    port, path = free_port(), str(configure())
    with (
        started("--config", path, "worker"),
        started("--config", path, "serve", port=port) as web,
    ):
        base = f"http://127.0.0.1:{port}"
        end = clock.monotonic() + 30
        while answer(f"{base}/readyz", web).status_code != 200:
            assert clock.monotonic() < end
            clock.sleep(0.1)
        wait_for(f"{base}/api/v1/query?metric=sessions&from=now-1h", web, 2)


def test_port_in_use_is_said(configure: Configure) -> None:
    """A port that somebody else has is named, with what to set."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "--config", configure(), "run"],
            cwd=ROOT,
            env={**os.environ, "SKALD_PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "SKALD_PORT" in done.stderr


@pytest.mark.slow
def test_demo_prints_lines_that_answer() -> None:
    """The curl lines of the demo, pasted, answer with sessions."""
    with started("demo", "--hours", "2", "--rate", "200") as process:
        assert process.stdout is not None
        urls: list[str] = []
        for line in process.stdout:
            urls += re.findall(r"curl '([^']+)'", line)
            if "Ctrl-C" in line:
                break
        wait_for_first(urls[0], process)
        answers = [answer(url, process) for url in urls]

    assert len(urls) == 3
    assert all(each.status_code == 200 for each in answers)
    assert answers[0].json()
    assert "items" in answers[2].json()


def wait_for_first(url: str, process: subprocess.Popen[str]) -> None:
    """Ask until there are sessions."""
    end = clock.monotonic() + 20
    while not answer(url, process).json():
        assert clock.monotonic() < end
        clock.sleep(0.2)
