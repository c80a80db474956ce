"""The stand-in runs in a process of its own."""

import gzip
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import zstandard

T0 = 1_795_161_240_000_000_000
LINES = [
    {"ts_ns": T0, "labels": {"app": "shop"}, "line": "one"},
    {
        "ts_ns": str(T0 + 1),
        "labels": {"app": "shop"},
        "line": "two",
        "structured_metadata": {"page": "p"},
    },
]


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_file_is_loaded_and_served(tmp_path: Path, suffix: str) -> None:
    """The process says where it listens, holds the file's lines, ends on a signal."""
    text = "".join(json.dumps(line) + "\n" for line in LINES).encode()
    pack = {"gz": gzip.compress, "zst": zstandard.compress}
    file = tmp_path / f"lines.{suffix}"
    file.write_bytes(pack.get(suffix.rsplit(".", maxsplit=1)[-1], bytes)(text))
    command = [sys.executable, "-m", "app.demo.standin", "--load", str(file)]

    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE) as running:
        assert running.stdout
        loaded = running.stdout.readline().decode()
        url = running.stdout.readline().decode().split()[1]
        asked = {"query": '{app="shop"}', "start": T0, "end": T0 + 2}
        answer = requests.get(f"{url}/loki/api/v1/query_range", params=asked, timeout=5)
        running.send_signal(signal.SIGTERM)

        assert running.wait(5) == 0
    assert loaded.startswith("loaded 2 entries")
    pages = [s["stream"].get("page") for s in answer.json()["data"]["result"]]
    assert sorted(pages, key=str) == [None, "p"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """One sentence instead of a traceback."""
    file = tmp_path / "lines.jsonl"
    file.write_text("[]\n")
    command = [sys.executable, "-m", "app.demo.standin", "--load", str(file)]

    ended = subprocess.run([*command, "--port", "0"], capture_output=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.decode().startswith(f"{file}:1: not an entry like")
    assert b"Traceback" not in ended.stderr
