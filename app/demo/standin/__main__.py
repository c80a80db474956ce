"""Run the stand-in in a process of its own: ``python -m app.demo.standin --load F``."""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from app import clock
from app.demo.standin import Limits, StandIn
from app.errors import SourceRefused
from app.sources.replay import read_entries


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    usage = argparse.ArgumentParser("python -m app.demo.standin", description=__doc__)
    usage.add_argument(
        "--load",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help='lines {"ts_ns", "labels", "line", "structured_metadata"?} of JSON, plain, '
        ".gz or .zst; may be repeated",
    )
    usage.add_argument("--tenant", default="fake", help="owner of what is loaded")
    usage.add_argument("--host", default="127.0.0.1")
    usage.add_argument("--port", type=int, default=3100, help="0 takes a free one")
    usage.add_argument("--pace", type=float, help="entries a second of log answers")
    usage.add_argument(
        "--max-entries",
        type=int,
        default=Limits().max_entries,
        help="lines a request may ask for",
    )
    usage.add_argument(
        "--max-message-bytes",
        type=int,
        default=Limits().max_message_bytes,
        help="larger answers are never sent; 0 is no bound",
    )
    usage.add_argument(
        "--no-levels",
        action="store_true",
        help="do not look for the level of every line: loads four times as fast",
    )
    usage.add_argument(
        "--hold",
        type=float,
        default=Limits().hold_s,
        metavar="S",
        help="how long an answer that is never sent keeps its connection",
    )
    return usage.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Load, listen, say where, and serve until told to stop."""
    asked = read_arguments(arguments)
    limits = replace(
        Limits(),
        max_entries=asked.max_entries,
        max_message_bytes=asked.max_message_bytes or None,
        hold_s=asked.hold,
        pace_lines_per_s=asked.pace,
        discover_log_levels=not asked.no_levels,
    )
    with closing(StandIn(limits=limits, host=asked.host, port=asked.port)) as loki:
        started = clock.monotonic()
        loaded = sum(loki.load(read_entries(path), asked.tenant) for path in asked.load)
        took_s = clock.monotonic() - started
        sys.stdout.write(
            f"loaded {loaded} entries in {took_s:.1f} s\nready {loki.url}\n"
        )
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        main(sys.argv[1:])
    except (SourceRefused, OSError) as refused:
        sys.exit(str(refused))
