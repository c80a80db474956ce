"""Answer Loki's HTTP API from a store, one function a path."""

import re
from collections.abc import Callable
from decimal import Decimal

import orjson

from app.demo.standin.entries import Store, Stream
from app.demo.standin.errors import Refused, unsupported
from app.demo.standin.exchange import (
    TEXT,
    Asked,
    Reply,
    check_length,
    read_forward,
    read_limit,
    read_step,
)
from app.demo.standin.limits import HOUR_S
from app.demo.standin.logql import parse_matchers, parse_query
from app.demo.standin.metrics import Evaluator, Instants, Vectors
from app.demo.standin.push import push
from app.demo.standin.queries import LogQuery, MetricQuery
from app.demo.standin.select import Selection, matching, select, write_streams
from app.demo.standin.times import NS_PER_S

CATEGORIZE = "categorize-labels"
FLAGS_HEADER = "x-loki-response-encoding-flags"
LABELS_RANGE_NS = 6 * HOUR_S * NS_PER_S
QUERY_RANGE_NS = HOUR_S * NS_PER_S
BUILD = {
    "version": "",
    "revision": "",
    "branch": "",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "go1.27.3",
}
QUIET_STATS: dict[str, object] = {
    "querier": {},
    "ingester": {},
    "cache": {},
    "index": {},
}


def answer(store: Store, asked: Asked) -> Reply:
    """Answer one request; a refusal becomes its plain text."""
    try:
        return _route(asked)(store, asked)
    except Refused as no:
        return Reply(no.text.encode("utf-8", "replace"), no.status, TEXT)
    except RecursionError:
        return Reply(b"parse error : nested too deeply", 400, TEXT)


Handler = Callable[[Store, Asked], Reply]


def _route(asked: Asked) -> Handler:
    path = asked.path
    if path == "/loki/api/v1/push":
        return _push if asked.method == "POST" else _wrong_method
    if re.fullmatch(r"/loki/api/v1/label/[^/]+/values", path):
        return _label_values
    return ROUTES.get(path, _not_found)


def _not_found(_store: Store, _asked: Asked) -> Reply:
    return Reply(b"404 page not found\n", 404, TEXT)


def _wrong_method(_store: Store, _asked: Asked) -> Reply:
    return Reply(status=405, content_type=None)


def _push(store: Store, asked: Asked) -> Reply:
    push(store, asked.body, asked.headers, asked.now_ns)
    return Reply(status=204, content_type=None)


def _ready(_store: Store, _asked: Asked) -> Reply:
    return Reply(b"ready\n", content_type=TEXT)


def _buildinfo(_store: Store, _asked: Asked) -> Reply:
    return Reply(orjson.dumps(BUILD), content_type="application/json")


# -- queries ---------------------------------------------------------------


def _query_range(store: Store, asked: Asked) -> Reply:
    start, end = asked.bounds(QUERY_RANGE_NS)
    limit = read_limit(asked.one("limit"))
    forward = read_forward(asked.one("direction"))
    step = read_step(asked.one("step"), start, end, store.limits)
    query = parse_query(asked.one("query"))
    check_length(end - start, store.limits)
    if not isinstance(query, LogQuery):
        return _matrix(store, query, Instants(start, end, step))
    if limit > store.limits.max_entries:
        raise Refused(
            "max entries limit per query exceeded, limit > max_entries_limit_per_query"
            f" ({limit} > {store.limits.max_entries})"
        )
    return _streams(
        store, asked, Selection(query, start, end, limit, forward, asked.dice)
    )


def _streams(store: Store, asked: Asked, selection: Selection) -> Reply:
    runs = select(store, selection)
    entries = sum(len(run.fragments) for run in runs)
    size = sum(run.size for run in runs)
    bound = store.limits.max_message_bytes
    if bound is not None and size > bound:
        return Reply(too_large=True)
    categorized = CATEGORIZE in asked.headers.get(FLAGS_HEADER, "")
    flags = b'"encodingFlags":["categorize-labels"],' if categorized else b""
    pieces = [
        b'{"status":"success","data":{"resultType":"streams",',
        flags,
        b'"result":',
        *write_streams(runs, categorized=categorized),
        b',"stats":',
        orjson.dumps(_stats(entries, size)),
        b"}}",
    ]
    return Reply(b"".join(pieces), entries=entries)


def _matrix(store: Store, query: MetricQuery, at: Instants) -> Reply:
    series = Evaluator(store, at).evaluate(query)
    result: list[dict[str, object]] = [
        {
            "metric": dict(key),
            "values": [_point(t, v) for t, v in sorted(points.items())],
        }
        for key, points in sorted(series.items())
    ]
    return _numbers("matrix", result)


def _query(store: Store, asked: Asked) -> Reply:
    at = asked.instant("time", asked.now_ns)
    read_limit(asked.one("limit"))
    read_forward(asked.one("direction"))
    query = parse_query(asked.one("query"))
    if isinstance(query, LogQuery):
        raise Refused(
            "log queries are not supported as an instant query type, please change"
            " your query to a range query type"
        )
    series: Vectors = Evaluator(store, Instants(at, at, 1)).evaluate(query)
    result: list[dict[str, object]] = [
        {"metric": dict(key), "value": _point(at, points[at])}
        for key, points in sorted(series.items())
    ]
    return _numbers("vector", result)


def _numbers(kind: str, result: list[dict[str, object]]) -> Reply:
    data = {"resultType": kind, "result": result, "stats": _stats(0, 0)}
    return _success(data)


def _success(data: object) -> Reply:
    return Reply(orjson.dumps({"status": "success", "data": data}))


def _point(t: int, value: float) -> list[object]:
    """Write a time in s, to the ms, and a value as the text that Go makes of it."""
    ms = t // 1_000_000
    seconds = ms // 1000 if ms % 1000 == 0 else ms / 1000
    text = format(Decimal(repr(value)), "f")
    return [seconds, text.removesuffix(".0")]


def _stats(entries: int, size: int) -> dict[str, object]:
    """Return a stats object; only its counts of entries and bytes are real."""
    summary = {
        "bytesProcessedPerSecond": 0,
        "linesProcessedPerSecond": 0,
        "totalBytesProcessed": size,
        "totalLinesProcessed": entries,
        "execTime": 0,
        "queueTime": 0,
        "subqueries": 0,
        "totalEntriesReturned": entries,
        "splits": 0,
        "shards": 1,
        "totalPostFilterLines": entries,
        "totalStructuredMetadataBytesProcessed": 0,
    }
    return {"summary": summary, **QUIET_STATS}


# -- what there is ---------------------------------------------------------


def _alive(store: Store, asked: Asked, selector: str) -> list[Stream]:
    """Return the selected streams that hold an entry in the asked range."""
    start, end = asked.bounds(LABELS_RANGE_NS)
    matchers = parse_matchers(selector) if selector else ()
    with store.lock:
        return [
            stream
            for stream in matching(store, matchers)
            if stream.between(start, end + 1)
        ]


def _labels(store: Store, asked: Asked) -> Reply:
    streams = _alive(store, asked, asked.one("query"))
    return _names({name for stream in streams for name in stream.labels})


def _label_values(store: Store, asked: Asked) -> Reply:
    name = asked.path.split("/")[-2]
    streams = _alive(store, asked, asked.one("query"))
    return _names({stream.labels[name] for stream in streams if name in stream.labels})


def _names(names: set[str]) -> Reply:
    """Answer a sorted list; Loki leaves an empty one out."""
    if not names:
        return Reply(orjson.dumps({"status": "success"}))
    return _success(sorted(names))


def _series(store: Store, asked: Asked) -> Reply:
    selectors = [*asked.params.get("match[]", ()), *asked.params.get("match", ())]
    found = {
        stream.name: stream.labels
        for selector in selectors or [""]
        for stream in _alive(store, asked, selector)
    }
    return _success(list(found.values()))


def _index_stats(store: Store, asked: Asked) -> Reply:
    """Count what was loaded; what was pushed is not yet in Loki's index."""
    start, end = asked.bounds(QUERY_RANGE_NS)
    streams = [s for s in _alive(store, asked, asked.one("query")) if s.flushed]
    spans = [(stream, stream.between(start, end)) for stream in streams]
    counts = {
        "streams": len(streams),
        "chunks": len(streams),
        "bytes": sum(sum(s.sizes[span.start : span.stop]) for s, span in spans),
        "entries": sum(len(span) for _, span in spans),
    }
    return Reply(orjson.dumps(counts))


def _not_known(_store: Store, asked: Asked) -> Reply:
    raise unsupported(f"path '{asked.path}'")


ROUTES: dict[str, Handler] = {
    "/ready": _ready,
    "/loki/api/v1/status/buildinfo": _buildinfo,
    "/loki/api/v1/query_range": _query_range,
    "/loki/api/v1/query": _query,
    "/loki/api/v1/labels": _labels,
    "/loki/api/v1/label": _labels,
    "/loki/api/v1/series": _series,
    "/loki/api/v1/index/stats": _index_stats,
    "/loki/api/v1/index/volume": _not_known,
    "/loki/api/v1/index/volume_range": _not_known,
    "/loki/api/v1/patterns": _not_known,
    "/loki/api/v1/detected_fields": _not_known,
    "/loki/api/v1/detected_labels": _not_known,
    "/loki/api/v1/tail": _not_known,
    "/loki/api/v1/delete": _not_known,
    "/loki/api/v1/rules": _not_known,
    "/loki/api/v1/format_query": _not_known,
}
