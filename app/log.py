"""Write logs as events with facts: one line each, text or JSON, secrets never."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

# What every record has by itself; the rest came in ``extra`` and is a fact.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = re.compile(
    r"password|secret|token|authorization|cookie|api_?key", re.IGNORECASE
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@|\b(?P<how>Bearer|Basic) +[\w.~+/=-]+")
_BARE = re.compile(r"[\w.:/@%+,-]+")
_MASK = "***"
_HANDLER = "skald"
MAX_TEXT = 2_000  # characters of one fact


def configure_logging(
    level: str = "info", style: str = "text", stream: TextIO | None = None
) -> None:
    """Send the logs of the process to *stream*; again replaces, never doubles.

    Args:
        level: least important level that is written.
        style: ``text`` or ``json``.
        stream: standard error when left out, so that answers have standard output.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name(_HANDLER)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    for old in [each for each in root.handlers if each.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for chatty in ("apscheduler", "urllib3", "werkzeug"):
        logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00.000Z info app.jobs indexed entries=12 took_ms=3``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write *record* on one line."""
        facts = gather_facts(record)
        head = [_instant(record), record.levelname.lower(), record.name]
        return " ".join(
            [
                *head,
                _event(record),
                *(f"{name}={_quote(fact)}" for name, fact in facts.items()),
            ]
        )


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``event``, the facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Write *record* on one line."""
        own = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
        }
        return json.dumps(
            own | gather_facts(record) | own, ensure_ascii=False, default=str
        )


def gather_facts(record: logging.LogRecord) -> dict[str, Any]:
    """Take the facts out of *record*, bounded and without secrets."""
    facts = {name: value for name, value in vars(record).items() if name not in _OWN}
    if record.exc_info:
        facts["trace"] = logging.Formatter().formatException(record.exc_info)
    return {name: _clean(name, value) for name, value in facts.items()}


def _clean(name: str, value: Any) -> Any:
    if _SECRET.search(name) and isinstance(value, str):
        return _MASK
    if isinstance(value, dict):
        return {str(key): _clean(str(key), each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(name, each) for each in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return _mask(str(value))


def _event(record: logging.LogRecord) -> str:
    return _mask(record.getMessage()).replace("\r", "\\r").replace("\n", "\\n")


def _mask(text: str) -> str:
    masked = _CREDENTIALS.sub(
        lambda found: f"{found['how']} {_MASK}" if found["how"] else f"{_MASK}@", text
    )
    return masked if len(masked) <= MAX_TEXT else f"{masked[:MAX_TEXT]}..."


def _quote(fact: Any) -> str:
    text = fact if isinstance(fact, str) else json.dumps(fact, default=str)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _instant(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z"
