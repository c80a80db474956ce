"""Index a world of Faro lines, beside a bare pager that only downloads them."""

import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Usage, measure, stand_in

SELECTOR = '{job="faro"}'
UNTIL = 1_795_168_800_000  # ms; 2026-11-20T10:00:00Z
HOURS = 24


@dataclass(frozen=True, slots=True)
class World:
    """Lines on disk."""

    path: Path
    lines: int
    bytes: int  # of the lines themselves
    sessions: int


def make_world(folder: Path, sessions: int) -> World:
    """Make, or find again, a day of so many sessions."""
    path = folder / f"faro-{sessions}-{HOURS}h.jsonl"
    if not path.exists():
        print(f"making {path} ...", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.jsonl")
        subprocess.run(
            [
                *(sys.executable, "-m", "app.demo.world", "--seed", "1"),
                *("--sessions", str(sessions), "--hours", str(HOURS)),
                *("--until", str(UNTIL), "--dialect", "alloy"),
                *("--out", str(unfinished)),
            ],
            check=True,
        )
        unfinished.rename(path)
    lines = size = 0
    with path.open("rb") as file:
        for line in file:
            lines += 1
            size += len(line) - line.find(b'"line":') - 11
    return World(path, lines, size, sessions)


def compare(world: World, pace: int, runs: int, kept: Path) -> dict[str, float]:
    """Return medians of *runs* runs of both; the last index is kept as *kept*."""
    start, end = (UNTIL - HOURS * 3_600_000) * 1_000_000, UNTIL * 1_000_000
    with stand_in(world.path, pace) as url, tempfile.TemporaryDirectory() as folder:
        bare: list[Usage] = []
        index: list[Usage] = []
        for run in range(runs):
            path = Path(folder) / f"{run}.db"
            environment = {
                "SKALD_LOKI_URL": url,
                "SKALD_SOURCES_0_SELECTOR": SELECTOR,
                "SKALD_INDEX": str(path),
                "SKALD_LOG_LEVEL": "warning",
            }
            span = [str(start), str(end)]
            bare.append(measure(["-m", "bench.bare", *span], environment))
            ms = [str(start // 1_000_000), str(end // 1_000_000)]
            arguments = ["-m", "app.cli", "index", "--from", ms[0], "--to", ms[1]]
            index.append(measure(arguments, environment))
            if run < runs - 1:
                path.unlink()
        sessions, size, row = _sizes(path)
        shutil.copyfile(path, kept)
    lines = int(bare[0].output)
    cpu = statistics.median(each.cpu_s for each in index)
    wall = statistics.median(each.wall_s for each in index)
    bare_wall = statistics.median(each.wall_s for each in bare)
    return {
        "lines": lines,
        "sessions": sessions,
        "bytes_per_line": world.bytes / world.lines,
        "bare_wall_s": bare_wall,
        "bare_cpu_s": statistics.median(each.cpu_s for each in bare),
        "index_wall_s": wall,
        "index_cpu_s": cpu,
        "cpu_ratio": statistics.median(
            ours.cpu_s / theirs.cpu_s for ours, theirs in zip(index, bare, strict=True)
        ),
        "wall_ratio": statistics.median(
            ours.wall_s / theirs.wall_s
            for ours, theirs in zip(index, bare, strict=True)
        ),
        "lines_per_s": lines / wall,
        "lines_per_cpu_s": lines / cpu,
        "peak_mb": max(each.peak_bytes for each in index) / 1e6,
        "index_bytes": size,
        "index_percent_of_raw": 100 * size / world.bytes,
        "index_bytes_per_session": size / sessions,
        "session_row_bytes": row,
    }


def _sizes(path: Path) -> tuple[int, int, float]:
    """Return sessions, bytes of the file, and bytes of a session's row with its keys."""
    db = sqlite3.connect(path)
    db.execute("pragma wal_checkpoint(truncate)")
    sessions = db.execute("select count(*) from sessions").fetchone()[0]
    rows = db.execute(
        "select sum(pgsize) from dbstat where name in ('sessions',"
        " 'sqlite_autoindex_sessions_1', 'sessions_start', 'sessions_end',"
        " 'sessions_user', 'sessions_user_name')"
    ).fetchone()[0]
    db.close()
    return sessions, path.stat().st_size, rows / sessions
