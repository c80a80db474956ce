"""Keep pushed lines in memory, sorted by time, as the bytes an answer is made of.

A line is kept once: in the JSON fragment ``["<ts>","<line>"`` that answers join.
It is decoded only when a filter or a parser needs to read it.
"""

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

import orjson

from app.demo.standin.discovery import detect_level, with_service_name
from app.demo.standin.limits import Limits
from app.model import Entry, Labels

ENTRY_OVERHEAD = 20  # bytes of a timestamp and field tags in Loki's own messages
PAIR_OVERHEAD = 6  # bytes of tags and lengths around a name and a value


class Metadata:
    """The structured metadata of an entry; equal ones are one object in a store."""

    __slots__ = ("labels", "size")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.size = sum(
            len(name.encode()) + len(value.encode()) + PAIR_OVERHEAD
            for name, value in labels.items()
        )


class Stream:
    """The entries of one label set, ascending by time, in order of arrival within one."""

    __slots__ = (
        "flushed",
        "fragments",
        "labels",
        "metadata",
        "metadata_names",
        "name",
        "sizes",
        "tail",
        "times",
    )

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.name = stream_name(labels)
        self.times = array("q")  # epoch ns
        self.sizes = array("I")  # bytes of the line
        self.fragments: list[bytes] = []
        self.metadata: list[Metadata] = []
        self.metadata_names: set[str] = set()  # ever seen in this stream
        self.tail: set[tuple[bytes, int]] = set()  # entries at the newest time
        self.flushed = False  # loaded in bulk: counted by index/stats

    def add(self, ts: int, line: bytes, size: int, metadata: Metadata) -> bool:
        """Keep an entry; False when the stream already has exactly this one.

        Args:
            ts: epoch ns.
            line: the line as a JSON string, quotes included.
            size: length of the line itself, bytes.
            metadata: interned by the store, so that identity is equality.
        """
        fragment = b'["%d",%b' % (ts, line)
        times = self.times
        if times and ts < times[-1]:
            return self._insert(ts, fragment, size, metadata)
        if not times or ts > times[-1]:
            self.tail.clear()
        key = (fragment, id(metadata))
        if key in self.tail:
            return False
        self.tail.add(key)
        times.append(ts)
        self.sizes.append(size)
        self.fragments.append(fragment)
        self.metadata.append(metadata)
        self.metadata_names.update(metadata.labels)
        return True

    def _insert(self, ts: int, fragment: bytes, size: int, metadata: Metadata) -> bool:
        first, at = bisect_left(self.times, ts), bisect_right(self.times, ts)
        for i in range(first, at):
            if self.fragments[i] == fragment and self.metadata[i] is metadata:
                return False
        self.times.insert(at, ts)
        self.sizes.insert(at, size)
        self.fragments.insert(at, fragment)
        self.metadata.insert(at, metadata)
        self.metadata_names.update(metadata.labels)
        return True

    def between(self, start: int, end: int) -> range:
        """Return the positions of the entries in [start, end), epoch ns."""
        return range(bisect_left(self.times, start), bisect_left(self.times, end))

    def line(self, at: int) -> str:
        """Decode the line at a position."""
        fragment = self.fragments[at]
        line: str = orjson.loads(fragment[fragment.index(b",") + 1 :])
        return line


class Store:
    """The streams of one tenant; hold ``lock`` while reading more than one thing."""

    def __init__(self, limits: Limits, tenant: str = "fake") -> None:
        self.limits = limits
        self.tenant = tenant
        self.lock = threading.RLock()
        self.streams: dict[tuple[tuple[str, str], ...], Stream] = {}
        self._metadata: dict[tuple[tuple[str, str], ...], Metadata] = {}

    def load(self, entries: Iterable[Entry]) -> int:
        """Keep *entries* without any of the checks of a push.

        Returns:
            How many were new; an entry that is already there is kept once.
        """
        added = 0
        labels: Labels | None = None
        stream = Stream({})
        with self.lock:
            for entry in entries:
                if entry.labels is not labels:
                    labels = entry.labels
                    stream = self.stream(labels)
                    stream.flushed = True
                added += self.add(stream, entry.ts, entry.line, entry.metadata)
        return added

    def stream(self, labels: Labels) -> Stream:
        """Return the stream of a label set, made when it is new."""
        key = tuple(sorted(labels.items()))
        found = self.streams.get(key)
        if found is not None:
            return found
        full = dict(sorted(self._complete(labels).items()))
        key_full = tuple(full.items())
        found = self.streams.get(key_full) or Stream(full)
        self.streams[key] = self.streams[key_full] = found
        return found

    def add(self, stream: Stream, ts: int, line: str, metadata: Labels) -> bool:
        """Keep one entry; False when it is already there."""
        if self.limits.discover_log_levels and "detected_level" not in metadata:
            level = detect_level(line, stream.labels, metadata)
            metadata = {**metadata, "detected_level": level}
        if not stream.labels.keys().isdisjoint(metadata):
            metadata = _told_apart(metadata, stream.labels)
        encoded, size = encode_line(line)
        return stream.add(ts, encoded, size, self._intern(metadata))

    def distinct(self) -> Iterator[Stream]:
        """Yield every stream once, in order of first arrival."""
        for key, stream in self.streams.items():
            if len(key) == len(stream.labels):
                yield stream

    def _complete(self, labels: Labels) -> Labels:
        if self.limits.discover_service_name:
            return with_service_name(labels)
        return labels

    def _intern(self, labels: Labels) -> Metadata:
        key = tuple(sorted(labels.items()))
        found = self._metadata.get(key)
        if found is None:
            found = self._metadata[key] = Metadata(dict(key))
        return found


def encode_line(line: str) -> tuple[bytes, int]:
    """Return a line as a JSON string and its own length in bytes.

    A lone surrogate, which no UTF-8 can carry, becomes U+FFFD as in Go.
    """
    if line.isascii():
        return orjson.dumps(line), len(line)
    try:
        raw = line.encode()
    except UnicodeEncodeError:
        line = line.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        raw = line.encode()
    return orjson.dumps(line), len(raw)


def _told_apart(metadata: Labels, labels: Labels) -> Labels:
    """Rename metadata that is called as one of the stream's labels, as Loki shows it."""
    return {
        f"{name}_extracted" if name in labels else name: value
        for name, value in metadata.items()
    }


def stream_name(labels: Labels) -> str:
    """Write a label set as Loki does: ``{app="shop", kind="event"}``."""
    pairs = (f"{name}={orjson.dumps(labels[name]).decode()}" for name in sorted(labels))
    return "{" + ", ".join(pairs) + "}"
