"""Answer log queries: pick the entries, cut them at the limit, write them as JSON."""

import heapq
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter

import orjson

from app.demo.standin.entries import ENTRY_OVERHEAD, Metadata, Store, Stream
from app.demo.standin.queries import LogQuery
from app.demo.standin.stages import Comparison, LineFilter, Row, Stage
from app.model import Labels


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """The labels of an answered entry, as the JSON that both encodings need."""

    merged: bytes  # stream, metadata and parsed labels as one object
    stream: bytes  # the stream's labels alone
    extra: bytes  # third element of a categorised value


@dataclass(slots=True)
class Run:
    """Entries of one stream in the order of the answer."""

    fragments: list[bytes]
    tags: list[Tag]
    size: int = 0  # of the entries in Loki's own messages, bytes

    def take(self, ts: int, row: Row, tag: Tag) -> None:
        """Add an entry that has come through the stages."""
        line = orjson.dumps(row.line)
        self.fragments.append(b'["%d",%b' % (ts, line))
        self.tags.append(tag)
        self.size += len(line) + ENTRY_OVERHEAD


@dataclass(frozen=True, slots=True)
class Selection:
    """What a log query asks for: [start, end) in epoch ns."""

    query: LogQuery
    start: int
    end: int
    limit: int
    forward: bool
    dice: random.Random | None = None  # decides which of equal times come first


class Tags:
    """Make one ``Tag`` for each set of labels."""

    def __init__(self) -> None:
        self._by_labels: dict[tuple[bytes, bytes, bytes], Tag] = {}

    def plain(self, stream: Stream, metadata: list[Metadata]) -> list[Tag]:
        """Return the tags of entries of a stream that no stage has changed."""
        fresh = {
            each: self.of(stream.labels, each.labels, {}) for each in set(metadata)
        }
        return [fresh[each] for each in metadata]

    def of(self, stream: Labels, metadata: Labels, parsed: Labels) -> Tag:
        """Return the tag of labels by where they come from."""
        extra: dict[str, Labels] = {}
        if metadata:
            extra["structuredMetadata"] = metadata
        if parsed:
            extra["parsed"] = parsed
        merged = {**stream, **metadata, **parsed}
        key = (_sorted_json(merged), _sorted_json(stream), _sorted_json(extra))
        return self._by_labels.setdefault(key, Tag(*key))


def _sorted_json(labels: object) -> bytes:
    return orjson.dumps(labels, option=orjson.OPT_SORT_KEYS)


def matching(store: Store, matchers: Sequence[Comparison]) -> Iterator[Stream]:
    """Yield the streams that all *matchers* accept."""
    for stream in store.distinct():
        if all(m.accepts(stream.labels.get(m.name, "")) for m in matchers):
            yield stream


def select(store: Store, asked: Selection) -> list[Run]:
    """Pick the entries of a log query, a run a stream; empty runs are left out."""
    tags = Tags()
    with store.lock:
        streams = list(matching(store, asked.query.matchers))
        if asked.query.stages or asked.dice:
            runs = _pick_through(streams, asked, tags)
        else:
            runs = [_pick(*each, asked, tags) for each in _windows(streams, asked)]
    return [run for run in runs if run.fragments]


def _windows(streams: list[Stream], asked: Selection) -> list[tuple[Stream, range]]:
    """Find which entries to answer as they are.

    1. From each stream take up to ``limit`` entries, in the asked direction.
    2. When that is too many over all, find the time at the limit. Keep what is before
       it, and of the entries right at it as many as fit: which ones is arbitrary.
    """
    limit, windows = asked.limit, []
    for stream in streams:
        where = stream.between(asked.start, asked.end)
        windows.append((stream, where[:limit] if asked.forward else where[-limit:]))
    if sum(len(where) for _, where in windows) <= limit:
        return windows
    times = sorted(
        chain.from_iterable(stream.times[w.start : w.stop] for stream, w in windows)
    )
    last = times[limit - 1] if asked.forward else times[-limit]
    return _cut(windows, last, asked)


def _cut(
    windows: list[tuple[Stream, range]], last: int, asked: Selection
) -> list[tuple[Stream, range]]:
    """Shorten windows to what comes before *last*, and as many at it as fit."""
    safe, ties = [], []
    for stream, where in windows:
        first = bisect_left(stream.times, last, where.start, where.stop)
        after = bisect_right(stream.times, last, where.start, where.stop)
        safe.append(first - where.start if asked.forward else where.stop - after)
        ties.append(after - first)
    room, kept = asked.limit - sum(safe), []
    for (stream, where), count, tied in zip(windows, safe, ties, strict=True):
        fits = min(tied, room)
        room -= fits
        out = len(where) - count - fits
        kept.append((stream, where[: count + fits] if asked.forward else where[out:]))
    return kept


def _pick(stream: Stream, where: range, asked: Selection, tags: Tags) -> Run:
    """Take entries as they are."""
    part = slice(where.start, where.stop)
    metadata = stream.metadata[part]
    size = sum(stream.sizes[part]) + len(where) * ENTRY_OVERHEAD
    size += sum([each.size for each in metadata])
    run = Run(stream.fragments[part], tags.plain(stream, metadata), size)
    if not asked.forward:
        run.fragments.reverse()
        run.tags.reverse()
    return run


def _pick_through(streams: list[Stream], asked: Selection, tags: Tags) -> list[Run]:
    """Run entries through the stages, all streams in one order, until enough passed."""
    read = reader_of(asked.query.stages)
    runs = [Run([], []) for _ in streams]
    passed = 0
    for key, i, at in _places(streams, asked):
        row = read(streams[i], at)
        if row is None:
            continue
        runs[i].take(abs(key), row, tags.of(row.stream, row.metadata, row.parsed))
        passed += 1
        if passed == asked.limit:
            break
    return runs


Place = tuple[int, int, int]  # key, number of the stream, position in it


def _places(streams: list[Stream], asked: Selection) -> Iterable[Place]:
    """Return the places of all entries, by key: time, negative when newest is first."""
    each = [_places_in(i, stream, asked) for i, stream in enumerate(streams)]
    if asked.dice is None:
        return heapq.merge(*each)
    chance = asked.dice.random
    return sorted(chain.from_iterable(each), key=lambda place: (place[0], chance()))


def _places_in(i: int, stream: Stream, asked: Selection) -> Iterator[Place]:
    where, times = stream.between(asked.start, asked.end), stream.times
    if asked.forward:
        return ((times[at], i, at) for at in where)
    return ((-times[at], i, at) for at in reversed(where))


def reader_of(stages: Sequence[Stage]) -> Callable[[Stream, int], Row | None]:
    """Return what runs the stages over an entry; None when a filter drops it.

    Lines that cannot pass a leading ``|=`` are dropped without being decoded: the
    JSON of the searched text is part of the JSON of every line that holds it.
    """
    needles = tuple(_needles(stages))

    def read(stream: Stream, at: int) -> Row | None:
        fragment = stream.fragments[at]
        if not all(needle in fragment for needle in needles):
            return None
        row = Row(stream.line(at), stream.labels, stream.metadata[at].labels)
        return row if all(stage(row) for stage in stages) else None

    return read


def _needles(stages: Iterable[Stage]) -> Iterator[bytes]:
    for stage in stages:
        if not isinstance(stage, LineFilter):
            return
        if stage.op == "|=" and len(stage.texts) == 1:
            yield orjson.dumps(stage.texts[0])[1:-1]


def write_streams(runs: list[Run], *, categorized: bool) -> list[bytes]:
    """Write runs as the ``result`` of an answer, a stream for each set of labels.

    Returns:
        The pieces of the JSON, to be joined once with all else.
    """
    groups: dict[bytes, list[bytes]] = {}
    for run in runs:
        for labels, values in _grouped(run, categorized=categorized):
            groups.setdefault(labels, []).extend(values)
    pieces = [b"["]
    for labels, values in groups.items():
        pieces += [b'{"stream":', labels, b',"values":[']
        values[-1] = values[-1].removesuffix(b",")
        pieces += values
        pieces += [b"]}", b","]
    if groups:
        pieces.pop()
    return [*pieces, b"]"]


def _grouped(run: Run, *, categorized: bool) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield labels and the pieces of the values below them, each value with a comma."""
    by_tag: dict[Tag, list[bytes]] = {}
    for tag, same in groupby(zip(run.tags, run.fragments, strict=True), itemgetter(0)):
        by_tag.setdefault(tag, []).extend(map(itemgetter(1), same))
    for tag, fragments in by_tag.items():
        pieces = [b"," + tag.extra + b"]," if categorized else b"],"] * (
            2 * len(fragments)
        )
        pieces[::2] = fragments
        yield (tag.stream if categorized else tag.merged), pieces
