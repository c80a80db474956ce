"""Decode Grafana Faro's lines: Alloy's logfmt, its JSON, and OpenTelemetry's dialect.

A line is the item (``timestamp kind ...``) and then its meta (``sdk_* app_* user_*
session_* page_* browser_* view_name``). The meta repeats from line to line, so a line
is cut where its parts begin and each part is read once; what does not look as expected
is read whole, with the same result.
Sources: grafana/alloy internal/component/faro/receiver/{exporters,payload}.go and
opentelemetry-collector-contrib pkg/translator/faro.
"""

from typing import Any, Final

import orjson
import xxhash

from app.events import faro_items, faro_meta, faro_pairs, logfmt
from app.events.decoder import Batch, decoder
from app.events.faro_items import Item
from app.events.faro_meta import META_KEYS, Meta, MetaReader
from app.events.times import parse_time
from app.events.unreadable import Unreadable
from app.model import Context, Event, Page

Fields = dict[str, str]

_hash: Final = xxhash.xxh3_64_intdigest
_AFTER_QUOTE: Final = 11  # 'timestamp="'


class FaroDecoder:
    """Decodes the lines of one source; remembers what repeats, bounded.

    Attributes:
        metas: what was remembered of them.
    """

    def __init__(self, remembered: int = 8_192) -> None:
        self.metas = MetaReader(remembered)
        self._known = self.metas.known
        self._last = "\0"  # the meta of the line before
        self._last_meta: Meta = (("", ""), 0, Context())

    def decode(self, page: Page, batch: Batch) -> None:
        """Add every event of *page* to *batch*; count what cannot be read, by reason.

        Its lines are let go one by one: each is still in the processor's cache then.
        """
        events, contexts = batch.events, batch.contexts
        entries = 0
        for stream in page.streams:
            values = stream.values
            values.reverse()
            while values:
                value = values.pop()
                try:
                    time: str = value[0]
                    meta, event = self._decode_line(value[1], int(time[:-3] or 0))
                except Unreadable as reason:
                    batch.drop(str(reason))
                    continue
                except UnicodeError:  # half a surrogate pair, which nothing can keep
                    batch.drop("malformed")
                    continue
                address, context_key, context = meta
                contexts[context_key] = context
                group = events.get(address)
                if group is None:
                    events[address] = [event]
                else:
                    group.append(event)
                entries += 1
        batch.decoded += entries
        batch.entries += page.entries
        batch.bytes += page.bytes

    def _decode_line(self, line: str, received: int) -> tuple[Meta, Event]:
        """Decode the item and, from memory, the meta; or the line as a whole.

        Lines of one batch follow one another: the meta is often that of the line before.
        """
        is_same = line.endswith(self._last)
        if is_same:
            cut = len(line) - len(self._last)
        else:
            cut = line.find(" sdk_")
            if cut < 0:
                cut = line.find(" app_")
            if cut < 0:
                return _decode_whole(line, received)
        try:
            at, item = _read_timed(line, cut)
            meta = self._last_meta if is_same else self._remember(line[cut:])
        except (logfmt.Malformed, faro_meta.NotAsExpected):
            return _decode_whole(line, received)
        kind, name, number, facts = item
        key = _hash(line.encode())
        return meta, Event(key, received, at, kind, meta[1], name, number, facts)

    def _remember(self, text: str) -> Meta:
        meta = self._known.get(text) or self.metas.read(text)
        self._last, self._last_meta = text, meta
        return meta


decoder("faro")(FaroDecoder)  # as a decorator, it would keep mypyc from compiling


def _decode_whole(line: str, received: int) -> tuple[Meta, Event]:
    fields = _read_json(line) if line.startswith("{") else _read_logfmt(line)
    kind, name, value, facts = faro_items.read(fields)  # says what is not Faro's
    meta = faro_meta.read_fields(fields)
    time = parse_time(fields.get("timestamp", ""))
    key = _hash(line.encode())
    return meta, Event(key, received, time, kind, meta[1], name, value, facts)


def _read_timed(line: str, cut: int) -> tuple[int, Item]:
    """Read the part of *line* before the meta: its time and what it means.

    Raises:
        Malformed, NotAsExpected: only the whole line can tell.
    """
    if line.startswith('timestamp="'):
        end = line.find('" ', _AFTER_QUOTE, cut)
        time, begin = line[_AFTER_QUOTE:end], end + 2
    else:
        end = line.find(" ", 0, cut)
        time, begin = line[_AFTER_QUOTE - 1 : end], end + 1
    at = parse_time(time) if end > 0 else 0
    if not at or not line.startswith("timestamp="):
        raise faro_meta.NotAsExpected
    return at, _read_item(line[begin:cut])


def _read_item(text: str) -> Item:
    """Read an item; what may belong to another part only the whole line tells.

    Raises:
        Malformed, NotAsExpected: only the whole line can tell.
        Unreadable: no Faro kind.
    """
    reader, fields = faro_pairs.take(text)
    if "timestamp" in fields:
        raise faro_meta.NotAsExpected
    if fields.get("kind") == "measurement" and not META_KEYS.isdisjoint(fields):
        # a measurement may be called "page_url"
        raise faro_meta.NotAsExpected
    return faro_items.read_by(reader, fields)


def _read_logfmt(line: str) -> Fields:
    try:
        return logfmt.parse(line)
    except logfmt.Malformed as broken:
        raise Unreadable("malformed") from broken


def _read_json(line: str) -> Fields:
    try:
        fields = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError) as broken:
        raise Unreadable("malformed") from broken
    return {
        key: value if isinstance(value, str) else _text(value)
        for key, value in fields.items()
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
