"""Answer log queries: pick the entries, cut them at the limit, write them as JSON."""

import random
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import orjson

from app.demo.standin.entries import ENTRY_OVERHEAD, Metadata, Store, Stream
from app.demo.standin.logql import LogQuery
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
    """Entries of one stream in the order of the answer, at most ``limit`` of them."""

    keys: list[int]  # ascending: epoch ns, negative when newest comes first
    fragments: list[bytes]
    tags: list[Tag]
    size: int = 0  # of the entries in Loki's own messages, bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """What a log query asks for: [start, end) in epoch ns."""

    query: LogQuery
    start: int
    end: int
    limit: int
    forward: bool
    dice: random.Random | None = None  # decides which of equal times come first

    @property
    def enough(self) -> int:
        """Return how many entries of one stream are worth picking."""
        return self.limit if self.dice is None else sys.maxsize


class Tags:
    """Make one ``Tag`` for each set of labels."""

    def __init__(self) -> None:
        self._by_metadata: dict[tuple[int, int], Tag] = {}
        self._by_labels: dict[tuple[bytes, bytes, bytes], Tag] = {}

    def plain(self, stream: Stream, metadata: Metadata) -> Tag:
        """Return the tag of an entry that no stage has changed."""
        key = (id(stream), id(metadata))
        tag = self._by_metadata.get(key)
        if tag is None:
            tag = self.of(stream.labels, metadata.labels, {})
            self._by_metadata[key] = tag
        return tag

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
    """Pick the entries of a log query, a run a stream.

    1. From each stream take up to ``limit`` entries, in the asked direction.
    2. When that is too many over all, find the key at the limit; keep what is before
       it, and of the entries right at it as many as fit: which ones is arbitrary.
    """
    tags = Tags()
    with store.lock:
        runs = [
            run
            for stream in matching(store, asked.query.matchers)
            if (run := _pick(stream, asked, tags)).keys
        ]
    if asked.dice:
        _shuffle_ties(runs, asked.dice)
    if sum(len(run.keys) for run in runs) <= asked.limit:
        return runs
    return _cut(runs, asked.limit)


def _pick(stream: Stream, asked: Selection, tags: Tags) -> Run:
    where = stream.between(asked.start, asked.end)
    if asked.query.stages:
        return _pick_through(stream, where, asked, tags)
    if len(where) > asked.enough:
        where = where[: asked.limit] if asked.forward else where[-asked.limit :]
    part = slice(where.start, where.stop)
    keys = stream.times[part].tolist()
    fragments = stream.fragments[part]
    metadata = stream.metadata[part]
    size = sum(stream.sizes[part]) + len(keys) * ENTRY_OVERHEAD
    size += sum(each.size for each in metadata)
    found = [tags.plain(stream, each) for each in metadata]
    if asked.forward:
        return Run(keys, fragments, found, size)
    return Run([-key for key in reversed(keys)], fragments[::-1], found[::-1], size)


def _pick_through(stream: Stream, where: range, asked: Selection, tags: Tags) -> Run:
    run = Run([], [], [])
    reader = reader_of(asked.query.stages)
    for at in where if asked.forward else reversed(where):
        row = reader(stream, at)
        if row is None:
            continue
        ts = stream.times[at]
        run.keys.append(ts if asked.forward else -ts)
        line = orjson.dumps(row.line)
        run.fragments.append(b'["%d",%b' % (ts, line))
        run.tags.append(tags.of(row.stream, row.metadata, row.parsed))
        run.size += len(line) + stream.metadata[at].size + ENTRY_OVERHEAD
        if len(run.keys) == asked.enough:
            break
    return run


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


def _cut(runs: list[Run], limit: int) -> list[Run]:
    last = sorted(chain.from_iterable(run.keys for run in runs))[limit - 1]
    before = [bisect_left(run.keys, last) for run in runs]
    room = limit - sum(before)
    kept = []
    for run, count in zip(runs, before, strict=True):
        ties = min(room, bisect_left(run.keys, last + 1) - count)
        room -= ties
        kept.append(_head(run, count + ties))
    return [run for run in kept if run.keys]


def _head(run: Run, count: int) -> Run:
    if count == len(run.keys):
        return run
    size = run.size * count // len(run.keys)
    return Run(run.keys[:count], run.fragments[:count], run.tags[:count], size)


def write_streams(runs: list[Run], *, categorized: bool) -> bytes:
    """Write runs as the ``result`` of an answer, a stream for each set of labels."""
    groups: dict[bytes, list[bytes]] = {}
    for run in runs:
        for labels, values in _grouped(run, categorized=categorized):
            groups.setdefault(labels, []).append(values)
    written = (
        b'{"stream":%b,"values":[%b]}' % (labels, b",".join(values))
        for labels, values in groups.items()
    )
    return b"[" + b",".join(written) + b"]"


def _grouped(run: Run, *, categorized: bool) -> Iterator[tuple[bytes, bytes]]:
    """Yield labels and the joined values below them."""
    if len(set(map(id, run.tags))) == 1:
        tag = run.tags[0]
        close = b"," + tag.extra + b"]" if categorized else b"]"
        values = (close + b",").join(run.fragments) + close
        yield (tag.stream if categorized else tag.merged), values
        return
    groups: dict[bytes, list[bytes]] = {}
    for fragment, tag in zip(run.fragments, run.tags, strict=True):
        if categorized:
            value = fragment + b"," + tag.extra + b"]"
            groups.setdefault(tag.stream, []).append(value)
        else:
            groups.setdefault(tag.merged, []).append(fragment + b"]")
    for labels, parts in groups.items():
        yield labels, b",".join(parts)


def _shuffle_ties(runs: list[Run], dice: random.Random) -> None:
    """Reorder entries of equal time, to show that a caller relies on no order."""
    for run in runs:
        order = sorted(range(len(run.keys)), key=lambda i: (run.keys[i], dice.random()))
        run.fragments = [run.fragments[i] for i in order]
        run.tags = [run.tags[i] for i in order]
