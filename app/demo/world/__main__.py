"""Write a world to files: ``python -m app.demo.world --sessions 30000 --out lines.zst``."""

import gzip
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import click
import orjson
import zstandard

from app.demo.world.mischief import NO_MISCHIEF, Mischief
from app.demo.world.truth import SessionTruth
from app.demo.world.world import World
from app.model import Entry

_HOUR_MS = 3_600_000
_UNTIL_MS = 1_795_219_200_000  # a midnight; worlds are as of an argument, not of today
_SOME = Mischief(
    late=0.02,
    backdated=0.0,
    duplicates=0.03,
    identical=0.01,
    shuffled=0.05,
    skewed=0.03,
    burst_every=60,
    burst_lines=6000,
    broken=2.0,
)


def encode_entry(entry: Entry) -> bytes:
    """Write *entry* as one JSON line: ts_ns, labels, line, structured_metadata."""
    told: dict[str, object] = {
        "ts_ns": entry.ts,
        "labels": entry.labels,
        "line": entry.line,
    }
    if entry.metadata:
        told["structured_metadata"] = entry.metadata
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def encode_truth(truth: SessionTruth) -> bytes:
    """Write *truth* as one JSON line."""
    return orjson.dumps(asdict(truth), option=orjson.OPT_APPEND_NEWLINE)


class Writes(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> int:
        """Take *data*."""


def open_out(path: str, stack: ExitStack) -> Writes:
    """Open *path* for writing; its ending says how it is compressed, - is stdout."""
    if path == "-":
        return sys.stdout.buffer
    raw = stack.enter_context(Path(path).open("wb"))  # noqa: SIM115  closed by stack
    if path.endswith(".zst"):
        return stack.enter_context(zstandard.ZstdCompressor(level=3).stream_writer(raw))
    if path.endswith(".gz"):
        return stack.enter_context(gzip.GzipFile("", "wb", 5, raw, mtime=0))
    return raw


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--sessions", default=30_000, show_default=True, help="About so many.")
@click.option("--hours", default=24.0, show_default=True)
@click.option("--until", default=_UNTIL_MS, show_default=True, help="End, epoch ms.")
@click.option("--visitors", default=0, help="How many; default: a third of sessions.")
@click.option(
    "--dialect",
    default="alloy",
    show_default=True,
    type=click.Choice(["alloy", "json", "otel", "mixed"]),
)
@click.option("--mischief/--no-mischief", default=False, show_default=True)
@click.option("--out", default="-", show_default=True, help="-, or *.jsonl[.zst|.gz]")
@click.option("--truth", default="", help="Where to write the sessions' truth.")
def main(  # noqa: PLR0913  one argument an option
    *,
    seed: int,
    sessions: int,
    hours: float,
    until: int,
    visitors: int,
    dialect: str,
    mischief: bool,
    out: str,
    truth: str,
) -> None:
    """Write all the lines of about SESSIONS sessions that begin within HOURS."""
    from_ms = until - int(hours * _HOUR_MS)
    world = World(
        seed,
        sessions_per_hour=sessions / hours,
        visitors=visitors or max(1, sessions // 3),
        incident_ms=from_ms + int(hours * _HOUR_MS * 0.6),
        dialect=dialect,
        mischief=_SOME if mischief else NO_MISCHIEF,
    )
    with ExitStack() as stack:
        write = open_out(out, stack).write
        tell = None
        if truth:
            truths = open_out(truth, stack)

            def tell(told: SessionTruth) -> None:
                truths.write(encode_truth(told))

        for entry in world.history(from_ms, until, whole=True, on_session=tell):
            write(encode_entry(entry))


if __name__ == "__main__":
    main()
