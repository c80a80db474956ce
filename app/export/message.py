"""Write samples as remote write 1.0 puts them on the wire: protobuf in snappy.

The message is the part of prometheus.WriteRequest that the specification names::

    message WriteRequest { repeated TimeSeries timeseries = 1; }
    message TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2; }
    message Label        { string name = 1; string value = 2; }
    message Sample       { double value = 1; int64 timestamp = 2; }

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from app.model import Labels

NAME = "__name__"
# The one NaN that ends a series: model/value of Prometheus. Its bits matter.
STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

Point = tuple[int, float | None]  # ms, value; None = the series ended there
Wired = tuple[str, Labels, Sequence[Point]]  # name, labels, points in order of time

_PACKAGE = "skald.write"
_FIELD = descriptor_pb2.FieldDescriptorProto
_MESSAGES: dict[str, list[tuple[str, int, bool]]] = {  # field, type, is repeated
    "Label": [
        ("name", _FIELD.TYPE_STRING, False),
        ("value", _FIELD.TYPE_STRING, False),
    ],
    "Sample": [
        ("value", _FIELD.TYPE_DOUBLE, False),
        ("timestamp", _FIELD.TYPE_INT64, False),
    ],
    "TimeSeries": [
        ("labels", _FIELD.TYPE_MESSAGE, True),
        ("samples", _FIELD.TYPE_MESSAGE, True),
    ],
    "WriteRequest": [("timeseries", _FIELD.TYPE_MESSAGE, True)],
}
_OF = {"labels": "Label", "samples": "Sample", "timeseries": "TimeSeries"}


def _write_request() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="skald_write.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind, is_repeated) in enumerate(fields, start=1):
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=_FIELD.LABEL_REPEATED if is_repeated else _FIELD.LABEL_OPTIONAL,
                type_name=f".{_PACKAGE}.{_OF[field]}" if field in _OF else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.WriteRequest")
    return message_factory.GetMessageClass(found)


WriteRequest = _write_request()


def encode(series: Iterable[Wired]) -> bytes:
    """Write the body of one request; labels are sorted, as the specification demands."""
    request = WriteRequest()
    for name, labels, points in series:
        each = request.timeseries.add()
        for label, text in sorted({**labels, NAME: name}.items()):
            each.labels.add(name=label, value=text)
        for at, value in points:
            each.samples.add(value=STALE if value is None else value, timestamp=at)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def measure(name: str, labels: Labels) -> int:
    """Return about how many bytes a series with one sample takes, at most."""
    text = len(name) + sum(len(key) + len(value) for key, value in labels.items())
    return 4 * text + 8 * len(labels) + 64  # a character is up to four bytes of UTF-8
