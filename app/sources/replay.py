"""Read entries from a file or a list, as if a Loki held them."""

import gzip
import io
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard

from app import clock
from app.errors import SourceRefused
from app.model import Entry, Labels
from app.sources.model import Page, Stream, make_page

PAGE = 1_000  # entries, more only when they share their nanosecond
SECOND = 1_000_000_000  # ns


class _Row(msgspec.Struct):
    """One line of a file."""

    ts_ns: int
    labels: Labels
    line: str
    structured_metadata: Labels = {}


class ReplaySource:
    """A ``Source`` over entries in memory. Like Loki it keeps equal ones once."""

    def __init__(
        self, entries: Iterable[Entry], name: str = "replay", page: int = PAGE
    ) -> None:
        self.name = name
        self._page = page
        distinct = {_key(entry): entry for entry in entries}
        self._entries = sorted(distinct.values(), key=_when)

    @classmethod
    def from_file(cls, path: Path, name: str = "replay") -> "ReplaySource":
        """Read a file of lines ``{"ts_ns", "labels", "line", "structured_metadata"?}``.

        Raises:
            SourceRefused: it cannot be read; names the file and the line.
        """
        return cls(read_entries(path), name)

    @property
    def span(self) -> tuple[int, int]:
        """Return ``[start, end)`` (ns) of all entries; ``(0, 0)`` without any."""
        if not self._entries:
            return 0, 0
        return self._entries[0].ts, self._entries[-1].ts + 1

    def pages(self, start: int, end: int) -> Generator[Page, None, None]:
        """Yield pages that cover ``[start, end)`` (ns): contiguous, ascending."""
        last = bisect_left(self._entries, end, key=_when)
        while start < end:
            at = bisect_left(self._entries, start, key=_when)
            until, stop = end, last
            if last - at > self._page:
                until = max(self._entries[at + self._page].ts, start + 1)
                stop = bisect_left(self._entries, until, key=_when)
            yield make_page(start, until, _streams(self._entries[at:stop]))
            start = until

    def counts(self, start: int, end: int, step_s: int) -> dict[int, int]:
        """Count entries per bucket *t* (ns): those in ``(t - step, t]``."""
        step = step_s * SECOND
        first = clock.floor_to(start + step - 1, step)
        last = clock.floor_to(end, step)
        since = bisect_right(self._entries, first, key=_when)
        until = bisect_right(self._entries, last, key=_when)
        return dict(
            Counter(-(-entry.ts // step) * step for entry in self._entries[since:until])
        )

    def state(self) -> Mapping[str, float]:
        """Return nothing: there is nothing to learn."""
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        """Take up nothing."""

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def read_entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of a file, plain, ``.gz`` or ``.zst``, in its order.

    Equal label sets are one object, so that what takes many need not compare them again.

    Raises:
        SourceRefused: it cannot be read; names the file and the line.
    """
    number = 0
    decode = msgspec.json.Decoder(_Row, strict=False).decode  # "1" is 1 as well
    shared: dict[tuple[tuple[str, str], ...], Labels] = {}
    try:
        with _open_plain(path) as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - for the message
                if line.strip():
                    row = decode(line)
                    labels = shared.setdefault(tuple(row.labels.items()), row.labels)
                    yield Entry(row.ts_ns, row.line, labels, row.structured_metadata)
    except (OSError, EOFError, zstandard.ZstdError) as err:
        reason = getattr(err, "strerror", None) or err
        raise SourceRefused(f"cannot read {path}: {reason}") from err
    except msgspec.MsgspecError as err:
        raise SourceRefused(
            f'{path}:{number}: not an entry like {{"ts_ns": 1, "labels": {{}}, '
            f'"line": "..."}} ({err})'
        ) from err


def _open_plain(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, uncompressed on the way."""
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.open(path))
    if path.suffix == ".zst":
        return io.BufferedReader(zstandard.open(path), 1 << 20)
    return path.open("rb")


def _when(entry: Entry) -> int:
    return entry.ts


def _labels_key(labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _key(entry: Entry) -> tuple[object, ...]:
    """Return what makes an entry itself, for Loki."""
    where = _labels_key(entry.labels)
    return where, entry.ts, entry.line, _labels_key(entry.metadata)


def _streams(entries: list[Entry]) -> list[Stream]:
    """Group *entries*, which are in order, by their labels."""

    def key(entry: Entry) -> tuple[tuple[str, str], ...]:
        return _labels_key(entry.labels)

    return [
        Stream(dict(labels), [_value(entry) for entry in group])
        for labels, group in groupby(sorted(entries, key=key), key)
    ]


def _value(entry: Entry) -> list[Any]:
    if entry.metadata:
        extra = {"structuredMetadata": entry.metadata}
        return [str(entry.ts), entry.line, extra]
    return [str(entry.ts), entry.line]
