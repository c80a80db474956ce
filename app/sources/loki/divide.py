"""Find a condition that divides entries which came together."""

from collections import Counter
from collections.abc import Iterator
from heapq import nsmallest
from itertools import islice, pairwise, starmap

from app.sources.loki.logql import NAME, Halves, Query, by_label, by_metadata, by_text
from app.sources.model import Stream

UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # stands for bytes that no filter can name
SAMPLE = 48  # lines that candidates are counted over
LONGEST = 1_000  # characters that candidates are taken from, after what all share
GRAMS = (1, 2, 4, 8)  # characters of a candidate
TRIED = 12  # candidates that are tried on every line


def divide(
    query: Query, streams: list[Stream], barred: frozenset[str]
) -> Halves | None:
    """Divide *query* so that each half has some of the entries in *streams*.

    1. By a stream label that tells them apart, except those *barred*.
    2. By a text that some of the lines contain.
    3. By structured metadata.

    Returns:
        None when the entries are all alike.
    """
    return (
        _divide_labels(query, streams, barred)
        or _divide_lines(query, streams)
        or _divide_metadata(query, streams)
    )


def _divide_labels(
    query: Query, streams: list[Stream], barred: frozenset[str]
) -> Halves | None:
    names = {name for stream in streams for name in stream.labels} - barred
    best: tuple[str, list[str]] | None = None
    for name in sorted(filter(NAME.fullmatch, names)):
        values = sorted({stream.labels.get(name, "") for stream in streams})
        usable = [value for value in values if UNREADABLE not in value]
        if len(values) > 1 and usable and (best is None or len(usable) > len(best[1])):
            best = (name, usable)
    if best is None:
        return None
    name, usable = best
    return by_label(query, name, usable[: max(1, len(usable) // 2)])


def _divide_lines(query: Query, streams: list[Stream]) -> Halves | None:
    lines = sorted({value[1] for stream in streams for value in stream.values})
    if len(lines) == 1:
        return None
    best = max(
        _candidates(lines),
        key=lambda text: _evenness(text, lines),
        default="",
    )
    return by_text(query, best) if best and _evenness(best, lines) else None


def _evenness(text: str, lines: list[str]) -> int:
    """Return how many lines the smaller half has."""
    having = sum(text in line for line in lines)
    return min(having, len(lines) - having)


def _candidates(lines: list[str]) -> Iterator[str]:
    """Yield texts that may divide *lines*, which are sorted and differ.

    1. Texts that about half of a sample contain.
    2. Whole lines: the middle one of such that begin each other divides them evenly.
    3. One text that certainly divides.
    """
    sample = lines[:: max(1, len(lines) // SAMPLE)][:SAMPLE]
    found: Counter[str] = Counter()
    begin = max(0, _shared(lines[0], lines[-1]) - max(GRAMS))
    for line in sample:
        found.update(set(_grams(line[begin : begin + LONGEST])))
    middle = len(sample) / 2
    uneven = nsmallest(TRIED, found, key=lambda text: (abs(found[text] - middle), text))
    yield from uneven
    whole = sample[:: max(1, len(sample) // TRIED)]
    yield from (line for line in whole if line and UNREADABLE not in line)
    yield from islice(filter(None, starmap(_certain, pairwise(lines))), 1)


def _shared(one: str, other: str) -> int:
    """Return how many characters two different texts begin with in common."""
    longest = min(len(one), len(other))
    return next((at for at in range(longest) if one[at] != other[at]), longest)


def _certain(one: str, other: str) -> str:
    """Return a text that just one of two different lines contains; empty if none.

    The longer of two lines is never part of the shorter.
    """
    for line, lacking in ((one, other), (other, one)):
        for piece in line.split(UNREADABLE):
            if piece and piece not in lacking:
                return piece
    return ""


def _grams(text: str) -> Iterator[str]:
    for size in GRAMS:
        for at in range(len(text) - size + 1):
            if UNREADABLE not in (gram := text[at : at + size]):
                yield gram


def _divide_metadata(query: Query, streams: list[Stream]) -> Halves | None:
    seen: Counter[tuple[str, str]] = Counter()
    total = 0
    for stream in streams:
        for value in stream.values:
            total += 1
            extra = value[2] if len(value) > 2 else {}  # noqa: PLR2004 - ts, line, extra
            seen.update(extra.get("structuredMetadata", {}).items())
    usable = (
        (abs(count - total / 2), name, text)
        for (name, text), count in seen.items()
        if count < total and text and UNREADABLE not in text and NAME.fullmatch(name)
    )
    if best := min(usable, default=None):
        return by_metadata(query, best[1], best[2])
    return None
