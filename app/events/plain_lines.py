"""Take a line apart that is no format of ours: JSON, logfmt, an access log, or text."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.events import logfmt
from app.events.lines import read_object
from app.events.unreadable import Unreadable

Fields = dict[str, Any]
MAX_LINE = 64 << 10  # characters; what is longer is no line of a log

# The combined format of nginx and Apache; Traefik's own begins the same.
_ACCESS = re.compile(
    r"(?P<remote_addr>\S+) \S+ (?P<remote_user>\S+) \[(?P<time_local>[^\]]{1,60})\] "
    r'"(?P<request>[^"\\]*(?:\\.[^"\\]*)*)" (?P<status>\d{3}) (?P<body_bytes_sent>\S+)'
    r'(?: "(?P<http_referer>[^"\\]*(?:\\.[^"\\]*)*)"'
    r' "(?P<http_user_agent>[^"\\]*(?:\\.[^"\\]*)*)")?'
)


def read_json(line: str) -> Fields:
    """Read an object of JSON.

    Raises:
        Unreadable: it is none.
    """
    return read_object(line)


def read_logfmt(line: str) -> Fields:
    """Read pairs.

    Raises:
        Unreadable: these are none.
    """
    try:
        return dict(logfmt.parse(line))
    except logfmt.Malformed as broken:
        raise Unreadable("malformed") from broken


def read_combined(line: str) -> Fields:
    """Read a line of an access log.

    Raises:
        Unreadable: it is none.
    """
    found = _ACCESS.match(line) if len(line) <= MAX_LINE else None
    if found is None:
        raise Unreadable("malformed")
    fields: Fields = {
        name: said
        for name, said in found.groupdict().items()
        if said not in (None, "-")
    }
    method, _, rest = fields.pop("request", "").partition(" ")
    return fields | {"method": method, "uri": rest.rpartition(" ")[0] or rest}


def read_text(line: str) -> Fields:
    """Read JSON where it is an object, else the line as a message."""
    if line.startswith("{"):
        try:
            return read_object(line)
        except Unreadable:
            pass
    return {"message": line}


READERS: dict[str, Callable[[str], Fields]] = {
    "json": read_json,
    "logfmt": read_logfmt,
    "combined": read_combined,
    "text": read_text,
}


def access_time(said: str) -> int:
    """Return UTC epoch ms of ``20/Nov/2026:09:16:21 +0100``; 0 when it is none."""
    try:
        when = datetime.strptime(said, "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return 0
    return max(0, int(when.timestamp() * 1000))
