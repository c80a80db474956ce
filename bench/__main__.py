"""`make bench`: print figures side by side and write them to var/bench/."""

import argparse
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import dashboards, ingest, panels, rules, serving, upkeep
from bench.grow import is_current

FOLDER = Path("var/bench")
PACE = 70_000  # lines/s: what a real single-binary Loki gave on 2 cores
SIZES = (100_000, 1_000_000)

ROWS = (
    ("lines", "{:,.0f}", "Faro lines"),
    ("sessions", "{:,.0f}", "sessions"),
    ("bytes_per_line", "{:,.0f}", "bytes a line"),
    ("bare_wall_s", "{:,.2f} s", "bare pager: wall time"),
    ("bare_cpu_s", "{:,.2f} s", "bare pager: CPU time"),
    ("index_wall_s", "{:,.2f} s", "skald index: wall time"),
    ("index_cpu_s", "{:,.2f} s", "skald index: CPU time"),
    ("wall_ratio", "{:,.2f}", "wall time, index ÷ bare"),
    ("cpu_ratio", "{:,.2f}", "CPU time, index ÷ bare"),
    ("lines_per_s", "{:,.0f}", "lines a second"),
    ("lines_per_cpu_s", "{:,.0f}", "lines a CPU second"),
    ("peak_mb", "{:,.0f} MB", "peak memory of the indexer"),
    ("index_percent_of_raw", "{:,.1f} %", "index, of the raw lines"),
    ("index_bytes_per_session", "{:,.0f}", "index bytes a session, all in"),
    ("session_row_bytes", "{:,.0f}", "bytes of a session's row and its keys"),
)


PARTS = ("ingest", "upkeep", "rules", "panels", "dashboards", "serving")


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=("all", *PARTS))
    parser.add_argument("--sessions", type=int, default=30_000, help="in 24 hours")
    parser.add_argument("--runs", type=int, default=3, help="the median is told")
    parser.add_argument("--pace", type=int, default=PACE, help="lines/s; 0 is unpaced")
    parser.add_argument(
        "--size",
        type=int,
        action="append",
        help="sessions asked of; may be repeated (default 100000 and 1000000)",
    )
    parser.add_argument(
        "--index",
        type=Path,
        help="dashboards or serving of this one, brought up to date",
    )
    parser.add_argument("--only", default="", help="a dashboard, as infinity/users")
    chosen = parser.parse_args()
    if chosen.index:
        panels.roll_up(chosen.index)
        if chosen.what == "serving":
            _tell_serving(chosen.index)
        else:
            _tell_dashboards(chosen.index, chosen.only)
        return
    parts = PARTS if chosen.what == "all" else (chosen.what,)
    day = FOLDER / f"day-{chosen.sessions}.db"
    if "ingest" in parts or not is_current(day):
        runs = chosen.runs if "ingest" in parts else 1
        world = ingest.make_world(FOLDER, chosen.sessions)
        _tell("ingest", ingest.compare(world, chosen.pace, runs, day), ROWS)
    if parts != ("ingest",):
        smaller: panels.Times = {}
        for size in chosen.size or SIZES:
            smaller = _measure_size(day, size, parts, smaller)


def _measure_size(
    day: Path, size: int, parts: Sequence[str], smaller: panels.Times
) -> panels.Times:
    """Measure an index of *size*; return the ms of each of its questions."""
    path = FOLDER / f"grown-{size}.db"
    if is_current(path) and path.stat().st_mtime > day.stat().st_mtime:
        print(f"\n{path}, as it was made before")
    else:
        unfinished = path.with_suffix(".part.db")
        for each in (path, unfinished):
            for suffix in ("", "-wal", "-shm"):
                Path(f"{each}{suffix}").unlink(missing_ok=True)
        print(f"\nmaking {path} ...", flush=True)
        held, seconds = panels.make_index(day, unfinished, size)
        unfinished.rename(path)
        print(f"{held:,} sessions; rolled up in {seconds:,.0f} s")
    if "upkeep" in parts:
        found = json.loads((FOLDER / "ingest.json").read_text())
        raw = found["bytes_per_line"] * found["lines"] / found["sessions"]
        figures = upkeep.weigh(path, raw) | upkeep.restart(path)
        _tell(f"upkeep-{size}", figures | upkeep.forget_day(path), upkeep.ROWS)
    if "rules" in parts:
        taken = rules.evaluate(path)
        labels = [(name, "{:,.1f} ms", f"rules {name}, once") for name in taken]
        _tell(f"rules-{size}", taken, labels)
    times: panels.Times = {}
    if "panels" in parts:
        times = _tell_panels(panels.compare(path), size, smaller)
    if "dashboards" in parts:
        _tell_dashboards(path)
    if "serving" in parts:
        _tell_serving(path)
    return times


def _tell(
    name: str, figures: Mapping[str, float], rows: Iterable[tuple[str, str, str]]
) -> None:
    for key, form, label in rows:
        if key in figures:
            print(f"{label:50}{form.format(figures[key]):>16}")
    _write(name, figures)


def _tell_dashboards(path: Path, only: str = "") -> None:
    name = f"dashboards-{only.replace('/', '-') or path.stem.removeprefix('grown-')}"
    timed: list[dashboards.Timed] = []
    print(f"\n{dashboards.HEADING}")
    for found in dashboards.measure(path, only=only):
        print(dashboards.row(found[0].board, found), flush=True)
        timed += found
        _write(name, dashboards.as_json(timed))
    print("\n".join(dashboards.sums(timed)))


def _tell_serving(path: Path) -> None:
    rows = serving.serve(path)
    for row in rows:
        print(
            f"{row['asked']} ranges: {row['answers_per_s']:,.0f} answers a second,"
            f" p50 {row['p50_ms']:,.1f} ms, p95 {row['p95_ms']:,.1f} ms"
            f" ({row['workers']} processes of {row['peak_mb']:,.0f} MB at most,"
            f" {row['connections']} connections)"
        )
    _write(f"serving-{path.stem.removeprefix('grown-')}", rows)


def _tell_panels(
    rows: list[dict[str, Any]], size: int, smaller: panels.Times
) -> panels.Times:
    """Tell what panels took, and how many times as long as on the size before."""
    columns = ("ms", "p95_ms", "cold_ms", "again_ms")
    columns += ("sqlite_ms", "duckdb_ms")
    if smaller:
        columns += ("growth",)
        for row in rows:
            row["growth"] = row["ms"] / smaller[row["question"]]
    print(f"{'question':44}" + "".join(f"{each:>11}" for each in columns))
    for row in rows:
        cells = [row.get(each) for each in columns]
        texts = ["-" if each is None else f"{each:,.1f}" for each in cells]
        print(f"{row['question']:44}" + "".join(f"{each:>11}" for each in texts))
    ratios = [row["ms"] / row["duckdb_ms"] for row in rows if row.get("duckdb_ms")]
    slow = [row["question"] for row in rows if row["p95_ms"] > 50]  # noqa: PLR2004
    print(f"median of (Skald ÷ DuckDB): {statistics.median(ratios):.2f}")
    print(f"over 50 ms: {len(slow)} of {len(rows)}")
    _write(f"panels-{size}", rows)
    return {row["question"]: row["ms"] for row in rows}


def _write(name: str, figures: object) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
