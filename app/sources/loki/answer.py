"""Read Loki's answers, and notice when they cannot be true."""

from operator import itemgetter
from typing import Any, NamedTuple

from app.errors import SourceError, SourceRefused
from app.sources.model import Stream

_timestamp = itemgetter(0)  # as text; of 19 digits from 2001 to 2286
STRANGE = "this does not answer like a Loki: no {}; check loki.url"


class Answer(NamedTuple):
    """The entries that one log query gave."""

    streams: list[Stream]
    entries: int
    oldest: int  # ns; of no meaning without entries
    newest: int
    size: int  # bytes of the body


def read_answer(body: Any, size: int, start: int, end: int, limit: int) -> Answer:
    """Take the streams out of a parsed *body*, which answers ``[start, end)``.

    Loki sorts a stream by time; sorting it again costs next to nothing (40 ns an entry)
    and a stream that mixes metadata, merged by somebody between, cannot hide entries.

    Raises:
        SourceRefused: it is no answer of Loki's.
        SourceError: it has more than *limit* entries, or such of another time.
    """
    streams: list[Stream] = []
    entries, oldest, newest = 0, end, start
    try:
        for result in read_result(body, "streams"):
            values = result["values"]
            if not values:
                continue
            values.sort(key=_timestamp)
            streams.append(Stream(result["stream"], values))
            entries += len(values)
            oldest = min(oldest, int(values[0][0]))
            newest = max(newest, int(values[-1][0]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as err:
        raise SourceRefused(STRANGE.format("streams of entries")) from err
    if entries > limit:
        raise SourceError(f"Loki gave {entries} entries though {limit} were asked for")
    if entries and (oldest < start or newest >= end):
        raise SourceError(
            f"Loki gave entries of {oldest} to {newest} ns, outside of the range asked "
            f"for, {start} to {end} ns"
        )
    return Answer(streams, entries, oldest, newest, size)


def read_result(body: Any, kind: str) -> Any:
    """Return ``data.result`` of a parsed answer of that *kind*.

    Raises:
        SourceRefused: there is none.
    """
    try:
        if body["data"]["resultType"] == kind:
            return body["data"]["result"] or []
    except (KeyError, TypeError):
        pass
    raise SourceRefused(STRANGE.format(f"result of type {kind}"))


def before(answer: Answer, ts: int) -> list[Stream]:
    """Return the streams of *answer* without the entries at *ts*, its newest."""
    stamp = str(ts)
    kept: list[Stream] = []
    for stream in answer.streams:
        values = stream.values
        count = len(values)
        while count and values[count - 1][0] == stamp:
            count -= 1
        if count == len(values):
            kept.append(stream)
        elif count:
            kept.append(Stream(stream.labels, values[:count]))
    return kept
