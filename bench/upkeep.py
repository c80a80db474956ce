"""What an index costs to keep: its bytes, a restart, a day that retention deletes."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.jobs.retention import expire
from app.settings import Settings
from app.store import open_writer
from bench.grow import DAY

ROWS = (
    ("sessions", "{:,.0f}", "sessions"),
    ("index_bytes", "{:,.0f}", "bytes of the index"),
    *((f"{name}_bytes_per_session", "{:,.0f}", f"bytes a session: {name}")
      for name in ("journals", "sessions", "rollups", "columns", "other")),
    ("bytes_per_session", "{:,.0f}", "bytes a session, all in"),
    ("bytes_per_event", "{:,.0f}", "bytes an event, all in"),
    ("percent_of_raw", "{:,.1f} %", "index, of the raw lines"),
    ("restart_to_health_s", "{:,.2f} s", "restart: until it is alive"),
    ("restart_to_first_answer_s", "{:,.2f} s", "restart: until the first answer"),
    ("serving_peak_mb", "{:,.0f} MB", "memory of the service after panels of 30 days"),
    ("day_sessions", "{:,.0f}", "retention of a day: sessions"),
    ("day_delete_s", "{:,.1f} s", "retention of a day: time"),
    ("day_roll_up_s", "{:,.1f} s", "retention of a day: rolling up what is left"),
    ("day_bytes_back", "{:,.0f}", "retention of a day: bytes given back"),
    ("day_bytes_held", "{:,.0f}", "retention of a day: its share of the file"),
)  # fmt: skip
_PATIENCE_S = 60
_GROUPS = {  # what tables and their indexes are counted as
    "sessions": ("sessions",),
    "journals": ("journals",),
    "rollups": ("rollup",),
    "columns": ("column", "chunk", "row_group"),
}


def weigh(path: Path, raw_bytes_per_session: float) -> dict[str, float]:
    """Return bytes of the index by what they hold, a session, an event, a raw byte.

    Args:
        path: of the index.
        raw_bytes_per_session: of the lines that its sessions were made of.
    """
    db = sqlite3.connect(path)
    sessions, events = db.execute(
        "select count(*), sum(events) from sessions"
    ).fetchone()
    tables = dict(db.execute("select name, tbl_name from sqlite_master").fetchall())
    found: dict[str, float] = {}
    for name, size in db.execute("select name, sum(pgsize) from dbstat group by name"):
        group = _group(tables.get(name, name))
        found[group] = found.get(group, 0) + size
    db.close()
    total = sum(found.values())
    figures = {f"{name}_bytes_per_session": found[name] / sessions for name in found}
    return {
        "sessions": sessions,
        "index_bytes": total,
        **dict(sorted(figures.items(), key=lambda each: -each[1])),
        "bytes_per_session": total / sessions,
        "bytes_per_event": total / events,
        "percent_of_raw": 100 * total / (sessions * raw_bytes_per_session),
    }


def _group(table: str) -> str:
    for name, prefixes in _GROUPS.items():
        if table.startswith(prefixes):
            return name
    return "other"


def restart(path: Path) -> dict[str, float]:
    """Return seconds from the start of the service to its first answers, and memory."""
    db = sqlite3.connect(path)
    last = db.execute("select max(start) from sessions").fetchone()[0]
    db.close()
    ask = f"metric=sessions&from={last - 30 * DAY}&to={last}"
    with _service(path) as (url, pid, began):
        _get(f"{url}/healthz")
        alive = time.perf_counter() - began
        _get(f"{url}/api/v1/query?{ask}")
        answered = time.perf_counter() - began
        for metric in ("duration_p95", "active_users", "error_rate", "lcp_p75"):
            _get(f"{url}/api/v1/query_range?{ask.replace('sessions', metric)}&step=6h")
        resident = _resident(pid)
    return {
        "restart_to_health_s": alive,
        "restart_to_first_answer_s": answered,
        "serving_peak_mb": resident / 1e6,
    }


@contextmanager
def _service(path: Path) -> Iterator[tuple[str, int, float]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "run"],
        env={
            **os.environ,
            "SKALD_INDEX": str(path),
            "SKALD_PORT": str(port),
            "SKALD_LOKI_URL": "http://127.0.0.1:9",  # nobody: it answers all the same
            "SKALD_LOG_LEVEL": "error",
            "SKALD_RETENTION": "3650d",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}", process.pid, began
    finally:
        process.terminate()
        process.wait()


def _get(url: str) -> bytes:
    """Ask until there is an answer.

    Raises:
        RuntimeError: there is none in a minute.
    """
    until = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < until:
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{url}: {error.read()!r}") from error
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer")


def _resident(pid: int) -> int:
    """Return the most memory that a process has held, bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def forget_day(path: Path) -> dict[str, float]:
    """Return what it takes to delete the oldest day, of a copy of the index."""
    copy = path.with_suffix(".copy.db")
    shutil.copyfile(path, copy)
    try:
        db = sqlite3.connect(copy)
        first, held = db.execute("select min(start), count(*) from sessions").fetchone()
        db.close()
        size = copy.stat().st_size
        settings = Settings(index=copy)
        writer = open_writer(settings)
        began = time.perf_counter()
        gone = expire(writer, first - first % DAY + DAY)
        taken = time.perf_counter() - began
        began = time.perf_counter()
        while writer.roll_up(1 << 52, settings.bounce):
            pass
        rolled = time.perf_counter() - began
        while writer.tidy():
            pass
        writer.close()
        back = size - copy.stat().st_size
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
    return {
        "day_sessions": gone,
        "day_delete_s": taken,
        "day_roll_up_s": rolled,
        "day_bytes_back": back,
        "day_bytes_held": size * gone / held,  # its share of the file
    }
