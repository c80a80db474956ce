"""Run a program to its end and say what it took."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run of a program took."""

    wall_s: float
    cpu_s: float  # user and system
    peak_bytes: int  # resident
    output: str


def measure(arguments: Sequence[str], environment: Mapping[str, str]) -> Usage:
    """Run a Python module (``-m ...``) to its end.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )
    assert process.stdout is not None  # noqa: S101
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {output}")
    return Usage(
        time.perf_counter() - began,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * 1024,
        output,
    )


@contextmanager
def stand_in(lines: Path, pace: int) -> Iterator[str]:
    """Run a stand-in Loki that holds *lines* in its own process; give its URL."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "app.demo.standin", "--load", str(lines)),
            *("--port", "0", "--pace", str(pace), "--no-levels"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                yield line.split()[1]
                break
        else:
            raise RuntimeError("the stand-in Loki did not start")
    finally:
        process.terminate()
        process.wait()
