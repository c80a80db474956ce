"""Whenever an indexer dies, and however often, the index ends up the same.

``SKALD_KILLS`` multiplies the number of kills, which is at least 200 as it is.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.demo.standin import StandIn
from tests.dump import dump
from tests.jobs.killing import MODES, deliveries
from tests.worlds import PLAIN

TIMES = int(os.environ.get("SKALD_KILLS", "1"))
KILLS = {"forward": 70, "late": 70, "backfill": 30, "loki": 30}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url() -> Any:
    """Return the address of a Loki that holds everything that ever comes."""
    with StandIn(limits=PLAIN) as loki:
        loki.load(deliveries().entries)
        yield loki.url


def kill(mode: str, folder: Path, kills: int, url: str, seed: int = 1) -> Any:
    """Run indexers in processes of their own."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.jobs.killing",
            mode,
            folder,
            *map(str, (kills, seed)),
            url,
        ],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=300 * TIMES,
    )
    assert done.returncode == 0, done.stderr.decode()
    return orjson.loads(done.stdout)


@pytest.mark.parametrize("mode", KILLS)
def test_killed_indexer_leaves_the_same_index(
    mode: str, tmp_path: Path, url: str
) -> None:
    """After kill -9 at random moments, one more run makes what a whole run makes."""
    told = kill(mode, tmp_path, KILLS[mode] * TIMES, url)
    counts = mode == "forward"  # what is read again is counted again
    expected = dump(tmp_path / "whole.db", counters=counts)

    assert told["died"] >= KILLS[mode]
    assert len(expected["sessions"]) > 30
    for path in told["files"]:
        assert dump(Path(path), counters=counts) == expected


def test_kills_are_many_enough() -> None:
    """At least 200 indexers die, in every way of reading."""
    assert sum(KILLS.values()) >= 200
    assert KILLS.keys() == MODES.keys()


@pytest.mark.parametrize("mode", ["forward", "late", "backfill"])
def test_two_indexers_by_mistake_make_the_same_index(
    mode: str, tmp_path: Path, url: str
) -> None:
    """Two that read the same source into the same file do double work, and no harm."""
    kill(mode, tmp_path, 0, url)
    coming = deliveries(is_prompt=mode == "forward")
    MODES[mode](tmp_path / "alone.db", coming, url)

    both = dump(tmp_path / "both.db", counters=False)
    alone = dump(tmp_path / "alone.db", counters=False)
    del both["seconds"], alone["seconds"]  # the slower one's last are deleted next time
    assert both == alone
