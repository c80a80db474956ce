"""Make events of what a test declares: sessions in a line, or lines of a log."""

from collections.abc import Iterator, Mapping

import xxhash

from app.events.decoder import DECODERS, Address, Batch
from app.model import Context, Event, Kind, Stream
from app.ruler.trial.model import Input
from app.sources.model import make_page

SOURCE = "test"
DELAY = 100  # ms from an event to its receipt
CONTEXT = (
    "app", "environment", "version", "browser", "os", "device", "country", "language",
    "referrer",
)  # fmt: skip
VITALS = ("lcp", "inp", "cls", "ttfb", "fcp")
MS = 1_000_000  # ns
_WAYS = ("events", "strands", "threads")  # in which a batch holds events


def session_inputs(
    session_id: str, start: int, duration: int, said: Mapping[str, list[str]]
) -> Iterator[Input]:
    """Yield the events of a session.

    Args:
        session_id: its id.
        start: its first event, ms.
        duration: ms until its last.
        said: by name; ``pages``, ``errors`` and ``actions`` are spread over its time,
            ``user``, vitals (of its first page) and fields of its context.
    """
    fields = {name: said[name][0] for name in CONTEXT if said.get(name)}
    attributes = {name: each[0] for name, each in said.items() if "." in name}
    user = (said.get("user") or [""])[0]
    base = _context(
        {"app": "shop", **fields, "user_id": user, "attributes": attributes}
    )
    pages = said.get("pages") or ["/"]
    address = (base.app, session_id)

    def make(
        offset: int, kind: Kind, page: str, name: str = "", **more: object
    ) -> Input:
        at = start + offset
        context = _context({**_fields(base), "page": page})
        key = _key(session_id, at, kind, name, str(more))
        event = Event(
            key, (at + DELAY) * 1_000, at, int(kind), _key(*map(str, _fields(context).items())),
            name, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        return Input(at + DELAY, SOURCE, address, event, context)

    yield make(0, Kind.LIFECYCLE, pages[0], "start")
    for name in VITALS:
        for value in said.get(name) or ():
            yield make(0, Kind.VITAL, pages[0], name, value=float(value))
    for number, page in enumerate(pages[1:], 1):
        yield make(_spread(duration, number, len(pages)), Kind.VIEW, page)
    for number, action in enumerate(said.get("actions") or ()):
        yield make(_spread(duration, number, 8), Kind.ACTION, pages[0], action)
    is_fatal = bool(said.get("crashed"))
    errors = said.get("errors") or []
    for number, message in enumerate(errors):
        facts = {"message": message, "fatal": is_fatal}
        yield make(_spread(duration, number + 1, len(errors) + 1), Kind.ERROR, pages[-1],
                   "Error", facts=facts)  # fmt: skip
    if duration:
        yield make(duration, Kind.OTHER, pages[-1])


def _spread(duration: int, number: int, count: int) -> int:
    return duration * number // count


def _context(fields: Mapping[str, object]) -> Context:
    return Context(**fields)  # type: ignore[arg-type]  # texts and attributes


def _fields(context: Context) -> dict[str, object]:
    return {name: getattr(context, name) for name in context.__struct_fields__}


def _key(*parts: object) -> int:
    return xxhash.xxh3_64_intdigest("\x1f".join(map(str, parts)).encode()) - (1 << 63)


def line_inputs(
    format_name: str, labels: Mapping[str, str], lines: Mapping[int, list[str]]
) -> Iterator[Input]:
    """Yield the events of lines, by the ms at which Loki received them."""
    decoder = DECODERS[format_name]()
    source = f"{SOURCE}-{format_name}"
    for at in sorted(lines):
        batch = Batch()
        rows = [[str(at * MS + n), line, {}] for n, line in enumerate(lines[at])]
        decoder.decode(make_page(0, 1, [Stream(dict(labels), rows)]), batch)
        for way in _WAYS:
            found: dict[Address, list[Event]] = getattr(batch, way)
            for address, events in found.items():
                for event in events:
                    context = batch.contexts[event.context]
                    yield Input(at, source, address, event, context, way, batch.shape)


def batches_of(inputs: list[Input]) -> Iterator[tuple[str, Batch]]:
    """Put the events of each source together, as its decoder would."""
    by_source: dict[str, list[Input]] = {}
    for each in inputs:
        by_source.setdefault(each.source, []).append(each)
    for source, known in by_source.items():
        yield source, _batch_of(known)


def _batch_of(inputs: list[Input]) -> Batch:
    batch = Batch(entries=len(inputs), decoded=len(inputs), shape=inputs[0].shape)
    for each in inputs:
        events: dict[Address, list[Event]] = getattr(batch, each.way)
        events.setdefault(each.address, []).append(each.event)
        batch.contexts[each.event.context] = each.context
    return batch
