"""Kill indexers at random moments; run as a process of its own, which forks them.

A warmed process forks in a millisecond, so hundreds of kills take seconds. Says on
standard output, as JSON, how many died, and which index files were read to the end.
"""

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from app.demo.world import Mischief, World
from app.jobs import index as jobs_index
from app.model import Entry
from app.sources import LokiSource, ReplaySource
from tests.build import HOUR, MINUTE, MS
from tests.driver import SOURCE, Index
from tests.worlds import NOON, SELECTOR, selectable

MISCHIEF = Mischief(backdated=0.1, duplicates=0.1, shuffled=0.2, broken=0.3)
BEGIN, END = NOON - HOUR, NOON
STEP = 6 * MINUTE
FLUSH = 60  # entries a commit, so that there are many moments to die between


class Delivered:
    """An hour of a world as it comes in; made once, for all who are forked."""

    def __init__(self, coming: list[tuple[int, Entry]]) -> None:
        self.entries = [entry for _, entry in coming]
        self._sources = {
            now: ReplaySource([entry for at, entry in coming if at <= now])
            for now in (*range(BEGIN + STEP, END + STEP, STEP), END + HOUR)
        }

    def by(self, now: int) -> ReplaySource:
        """Return a source of what can be asked for at that time, ms."""
        return self._sources[now if now < END else END + HOUR]


def deliveries(*, is_prompt: bool = False) -> Delivered:
    """Make what comes in: also late, and again; or all of it in time."""
    world = World(77, sessions_per_hour=60, dialect="mixed", mischief=MISCHIEF)
    coming = [
        (now, entry)
        for now in range(BEGIN + STEP, END + STEP, STEP)
        for entry in selectable(world.live(now - STEP, now))
    ]
    if is_prompt:
        coming = [(entry.ts // MS, entry) for _, entry in coming]
    return Delivered(coming)


def follow(path: Path, coming: Delivered, *, horizon_ms: int, url: str = "") -> None:
    """Follow from where the file says, step by step, to some time after the end."""
    settings = replace(SOURCE, start_ms=STEP, horizon_ms=horizon_ms, selector=SELECTOR)
    if url:
        settings = replace(settings, loki=replace(settings.loki, url=url))
    index = Index(path, settings)
    rests = [END + wait * MINUTE for wait in (10, 20, 70, 75, 140)]
    for now in [*range(BEGIN + STEP, END + STEP, STEP), *rests]:
        if index.writer.cursor(settings.name) < now * MS:
            index.run(now, LokiSource(settings) if url else coming.by(now))
    index.close()


def forward(path: Path, coming: Delivered, _url: str) -> None:
    """Follow what came in time, without looking for what comes late."""
    follow(path, coming, horizon_ms=0)


def late(path: Path, coming: Delivered, _url: str) -> None:
    """Follow what comes late too."""
    follow(path, coming, horizon_ms=HOUR)


def backfill(path: Path, coming: Delivered, _url: str) -> None:
    """Read all of it, from the beginning each time."""
    index = Index(path)
    index.feed(coming.entries)
    index.backfill()
    index.close()


def loki(path: Path, coming: Delivered, url: str) -> None:
    """Follow a Loki over HTTP, pages fetched ahead."""
    follow(path, coming, horizon_ms=HOUR, url=url)


MODES: dict[str, Callable[[Path, Delivered, str], None]] = {
    "forward": forward,
    "late": late,
    "backfill": backfill,
    "loki": loki,
}


def fork(run: Callable[[], None]) -> int:
    """Start a child that does *run* and nothing else; return its number."""
    child = os.fork()
    if child:
        return child
    try:
        run()
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def kill_many(
    run: Callable[[Path], None], folder: Path, kills: int, seed: int
) -> dict[str, Any]:
    """Start a run again and again, killing it, until that many have died.

    Whenever one reaches its end, a new file is begun.
    """
    dice = random.Random(seed)
    began = time.perf_counter()
    _finish(fork(lambda: run(folder / "whole.db")))
    whole_s = time.perf_counter() - began
    died, files = 0, [folder / "killed-0.db"]
    while died < kills:
        path = files[-1]
        child = fork(lambda path=path: run(path))
        time.sleep(whole_s * dice.random() ** 2)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            died += 1
        else:
            _check(status)
            files.append(folder / f"killed-{len(files)}.db")
    for path in files:
        _finish(fork(lambda path=path: run(path)))
    return {"died": died, "files": [str(path) for path in files]}


def run_together(run: Callable[[Path], None], path: Path, processes: int) -> None:
    """Let several indexers work on one file at the same time."""
    children = [fork(lambda: run(path)) for _ in range(processes)]
    for child in children:
        _finish(child)


def _finish(child: int) -> None:
    _check(os.waitpid(child, 0)[1])


def _check(status: int) -> None:
    if status:
        raise SystemExit(f"an indexer failed by itself: {status}")


def main(mode: str, folder: str, kills: int, seed: int, url: str) -> None:
    """Kill (or, with no kills, run two at once) and say what came of it."""
    jobs_index.FLUSH_ENTRIES = FLUSH
    coming = deliveries(is_prompt=mode == "forward")

    def run(path: Path) -> None:
        MODES[mode](path, coming, url)

    if kills:
        told = kill_many(run, Path(folder), kills, seed)
    else:
        run_together(run, Path(folder) / "both.db", 2)
        told = {}
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
