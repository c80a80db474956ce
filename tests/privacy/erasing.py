"""Kill erasures at random moments; run as a process of its own, which forks them."""

import os
import random
import shutil
import signal
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson

from app.jobs.privacy import finish
from app.settings import Settings
from app.store import open_privacy_book, searching
from app.store.privacy_seam import ERASURE
from tests.jobs.killing import fork

LATER = 1 << 50  # ms
LEASE = 1 << 40


def erase(path: Path, request: str, number: int) -> None:
    """Go on with a request, as whoever comes after a crash."""
    searching._CHUNK = 3
    with closing(open_privacy_book(Settings(index=path))) as book:
        owner = f"process {number}"
        if book.claim(owner, LATER + number * LEASE, request):
            finish(book, request, owner, "single_view")


def kill_many(path: Path, user: str, kills: int, seed: int) -> int:
    """Erase a user from the index, killed until it is done; return how many died."""
    dice = random.Random(seed)
    with closing(open_privacy_book(Settings(index=path))) as book:
        request = book.add(ERASURE, user, LATER).id
    died = number = 0
    while True:
        number += 1
        child = fork(lambda n=number: erase(path, request, n))
        if died < kills:
            time.sleep(0.25 * dice.random() ** 2)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, status
            return died
        died += 1


def main(whole: str, user: str, copies: int, kills: int, seed: int) -> None:
    """Erase a user from copies of an index."""
    died = 0
    for number in range(copies):
        path = Path(whole).with_name(f"killed-{number}.db")
        shutil.copy(whole, path)
        died += kill_many(path, user, kills, seed + number)
    sys.stdout.buffer.write(orjson.dumps({"died": died}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))  # type: ignore[call-arg]
