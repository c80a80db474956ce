"""`make bench`: print figures and write them to var/bench/figures.json."""

import argparse
import json
from pathlib import Path

from bench.ingest import compare, make_world

FOLDER = Path("var/bench")
PACE = 70_000  # lines/s: what a real single-binary Loki gave on 2 cores

ROWS = (
    ("lines", "{:,.0f}", "Faro lines"),
    ("sessions", "{:,.0f}", "sessions"),
    ("bytes_per_line", "{:,.0f}", "bytes a line"),
    ("bare_wall_s", "{:,.2f} s", "bare pager: wall time"),
    ("bare_cpu_s", "{:,.2f} s", "bare pager: CPU time"),
    ("index_wall_s", "{:,.2f} s", "skald index: wall time"),
    ("index_cpu_s", "{:,.2f} s", "skald index: CPU time"),
    ("wall_ratio", "{:,.2f}", "wall time, index ÷ bare"),
    ("lines_per_s", "{:,.0f}", "lines a second"),
    ("lines_per_cpu_s", "{:,.0f}", "lines a CPU second"),
    ("peak_mb", "{:,.0f} MB", "peak memory of the indexer"),
    ("index_percent_of_raw", "{:,.1f} %", "index, of the raw lines"),
    ("index_bytes_per_session", "{:,.0f}", "index bytes a session, all in"),
    ("session_row_bytes", "{:,.0f}", "bytes of a session's row and its keys"),
)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sessions", type=int, default=30_000, help="in 24 hours")
    parser.add_argument("--runs", type=int, default=3, help="the median is told")
    parser.add_argument("--pace", type=int, default=PACE, help="lines/s; 0 is unpaced")
    chosen = parser.parse_args()
    world = make_world(FOLDER, chosen.sessions)
    figures = compare(world, chosen.pace, chosen.runs)
    for name, form, label in ROWS:
        print(f"{label:40}{form.format(figures[name]):>14}")
    (FOLDER / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
