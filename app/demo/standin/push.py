"""Take pushed lines in: read the JSON body, check every entry, keep the good ones."""

import gzip
import json
import zlib
from collections.abc import Mapping

import orjson

from app.demo.standin.entries import Store, Stream
from app.demo.standin.errors import Refused, unsupported
from app.demo.standin.times import NS_PER_S, go_time, rfc3339
from app.model import Labels

MAX_NS = 2**63 - 1  # a timestamp is a signed 64-bit number
NEAR, AROUND = 10, 50  # characters that Loki's JSON errors quote

Row = tuple[int, str, Labels]  # epoch ns, line, structured metadata


def push(store: Store, body: bytes, headers: Mapping[str, str], now_ns: int) -> None:
    """Keep the entries of a push.

    Entries are checked one by one: the good ones stay although others are refused.

    Raises:
        Refused: in Loki's words, for the body, or for the entries that are refused.
    """
    streams = _read(_unzipped(body, headers), headers)
    if not streams:
        raise Refused(
            "error at least one valid stream is required for ingestion\n", 422
        )
    complaints: list[str] = []
    with store.lock:
        for labels, rows in streams:
            stream = store.stream(labels)
            fine = _valid(store, stream, rows, now_ns, complaints)
            _keep(store, stream, fine, complaints)
    if complaints:
        raise Refused("\n".join(complaints) + "\n")


def _unzipped(body: bytes, headers: Mapping[str, str]) -> bytes:
    encoding = headers.get("content-encoding", "")
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
    except (OSError, EOFError, zlib.error) as err:
        raise Refused(f"{err}\n") from None
    if encoding:
        raise unsupported(f"Content-Encoding '{encoding}'")
    return body


def _read(body: bytes, headers: Mapping[str, str]) -> list[tuple[Labels, list[Row]]]:
    kind = headers.get("content-type", "application/json").split(";")[0].strip()
    if kind != "application/json":
        raise unsupported(f"pushes of Content-Type '{kind}'")
    decoded = _decode(body)
    try:
        return [
            (_texts(stream["stream"]), [_row(value) for value in stream["values"]])
            for stream in decoded["streams"]
        ]
    except (KeyError, TypeError, ValueError, IndexError) as err:
        raise Refused(f"loghttp.PushRequest: {type(err).__name__}: {err}\n") from None


def _decode(body: bytes) -> dict[str, list[dict[str, list[list[object]]]]]:
    try:
        decoded: dict[str, list[dict[str, list[list[object]]]]] = orjson.loads(body)
    except orjson.JSONDecodeError:
        decoded = _decode_slowly(body.decode("utf-8", "replace"))
    return decoded


def _decode_slowly(text: str) -> dict[str, list[dict[str, list[list[object]]]]]:
    """Decode what only the patient decoder takes (lone surrogates), or complain."""
    try:
        decoded: dict[str, list[dict[str, list[list[object]]]]] = json.loads(text)
    except json.JSONDecodeError as err:
        raise Refused(_json_complaint(text, err.pos)) from None
    return decoded


def _json_complaint(text: str, at: int) -> str:
    """Complain as Loki's JSON reader does, which has read one character too many."""
    head = at + 1
    peek = max(0, head - NEAR)
    near = text[peek : head + NEAR]
    around = text[max(0, head - AROUND) : head + AROUND]
    found = text[at : at + 1] or "\x00"
    return (
        f'loghttp.PushRequest.readFieldHash: expect ", but found {found}, error found'
        f" in #{head - peek} byte of ...|{near}|..., bigger context ...|{around}|...\n"
    )


def _texts(labels: object) -> Labels:
    if not isinstance(labels, dict):
        raise TypeError("labels are no object")
    for name, value in labels.items():
        if not isinstance(value, str):
            raise TypeError(f"value of '{name}' is no string")
    return labels


def _row(value: list[object]) -> Row:
    ts, line = value[0], value[1]
    if not isinstance(ts, str) or not isinstance(line, str):
        raise TypeError("time and line must be strings")
    metadata = _texts(value[2]) if len(value) > 2 else {}  # noqa: PLR2004 - a triple
    if not -MAX_NS <= int(ts) <= MAX_NS:
        raise ValueError(f"time '{ts}' is out of range")
    return int(ts), line, metadata


def _valid(
    store: Store, stream: Stream, rows: list[Row], now_ns: int, complaints: list[str]
) -> list[Row]:
    """Return the rows that the distributor lets pass; complain of the others."""
    limits, fine = store.limits, []
    newest = now_ns + limits.grace_s * NS_PER_S
    oldest = None if limits.max_age_s is None else now_ns - limits.max_age_s * NS_PER_S
    for ts, line, metadata in rows:
        size = len(line.encode("utf-8", "replace"))
        if oldest is not None and ts < oldest:
            complaints.append(
                f"entry for stream '{stream.name}' has timestamp too old:"
                f" {rfc3339(ts)}, oldest acceptable timestamp is: {rfc3339(oldest)}"
            )
        elif ts > newest:
            complaints.append(
                f"entry for stream '{stream.name}' has timestamp too new: {rfc3339(ts)}"
            )
        elif size > limits.max_line_bytes:
            complaints.append(
                f"max entry size '{limits.max_line_bytes}' bytes exceeded for stream"
                f" '{stream.name}' while adding an entry with length '{size}' bytes"
            )
        else:
            fine.append((ts, line, metadata))
    return fine


def _keep(store: Store, stream: Stream, rows: list[Row], complaints: list[str]) -> None:
    """Keep the rows that the ingester takes; complain of those too far behind."""
    behind: list[str] = []
    for ts, line, metadata in rows:
        newest = max(stream.times[-1], ts) if stream.times else ts
        oldest = newest - store.limits.late_s * NS_PER_S
        if store.limits.reject_late and ts < oldest:
            behind.append(
                f"entry with timestamp {go_time(ts)} ignored, reason: 'entry too far"
                f" behind, entry timestamp is: {rfc3339(ts)}, oldest acceptable"
                f" timestamp is: {rfc3339(oldest)}',"
            )
        else:
            store.add(stream, ts, line, metadata)
    if behind:
        total = f"total ignored: {len(behind)} out of {len(rows)} for stream:"
        complaints.append(
            "\n".join([*behind, f"user '{store.tenant}', {total} {stream.name}"])
        )
