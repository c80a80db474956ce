"""Evaluate the shipped rules once, over indexes that hold ever more history."""

import sqlite3
import time
from pathlib import Path

from app.ruler.files import load_rules
from app.ruler.ruler import Ruler
from app.settings import Settings
from app.store import open_exact_reader, open_rulebook


def evaluate(path: Path) -> dict[str, float]:
    """Return ms of one evaluation of each shipped group, at the end of the index."""
    settings = Settings(index=path, query_timeout_s=600.0)
    db = sqlite3.connect(path)
    last = int(db.execute("select max(start) from sessions").fetchone()[0])
    db.close()
    book = open_rulebook(settings)
    ruler = Ruler(settings, book, open_exact_reader)
    taken = {}
    for group in load_rules(settings).groups:
        at = last - last % group.interval
        ruler.evaluate(group, at, last, None)  # warms the file's pages
        began = time.perf_counter()
        ruler.evaluate(group, at, last, None)
        taken[group.name] = (time.perf_counter() - began) * 1000
    book.close()
    return taken
