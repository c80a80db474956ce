"""Memory that a question took goes back when it is answered, whichever thread it was."""

import ctypes
import subprocess
import sys

import pytest

_MIB = 1 << 20
_ASK = """
import os, threading
import numpy as np
from app.allocator import share_one_heap

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def answer():
    for _ in range(3):
        large = [np.ones(1 << 17) for _ in range(48)]  # of 1 MiB each
        small = [np.ones(1 << 13) for _ in range(256)]  # of 64 KiB each
        kept.append(np.ones(64))  # what is remembered of an answer lies behind them
        del large, small

share_one_heap()
kept = []
np.ones(1 << 17).sum()
before = resident()
for _ in range(6):
    thread = threading.Thread(target=answer)
    thread.start()
    thread.join()
print(resident() - before)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallopt"),
    reason="another C library has other habits",
)
def test_arrays_of_all_threads_are_given_back() -> None:
    """Six threads took 64 MiB each: without one heap that gives back, 128 MiB stay."""
    told = subprocess.run(
        [sys.executable, "-c", _ASK], capture_output=True, check=True, timeout=60
    )

    assert int(told.stdout) < 40 * _MIB
