"""What a log line looks like, and what it never holds."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.log import MAX_TEXT, configure_logging

log = logging.getLogger("app.jobs")


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def text_of(style: str = "text", level: str = "info", **extra: Any) -> str:
    """Log one event and return what was written."""
    stream = io.StringIO()
    configure_logging(level, style, stream)
    log.info("indexed", extra=extra)
    return stream.getvalue()


def test_text_line_is_event_and_facts() -> None:
    """The event comes first, then its facts as key=value."""
    line = text_of(entries=12, window="10:00 to 10:05", is_late=False)

    assert line.partition(" ")[2] == (
        'info app.jobs indexed entries=12 window="10:00 to 10:05" is_late=false\n'
    )


def test_json_line_is_one_object() -> None:
    """A collector reads facts as fields, with their types."""
    line = json.loads(text_of("json", entries=12, rate=0.5, event="other"))

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "app.jobs",
        "event": "indexed",
        "entries": 12,
        "rate": 0.5,
    }


@pytest.mark.parametrize("style", ["text", "json"])
def test_event_is_one_line(style: str) -> None:
    """What strangers wrote cannot forge a line, nor fill the disk."""
    line = text_of(style, message_of_stranger="a\nfake line\r\n" + "x" * 9_000)

    assert line.count("\n") == 1
    assert len(line) < MAX_TEXT + 300


@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_masked(style: str) -> None:
    """Neither a fact named like a secret nor credentials in a text get through."""
    line = text_of(
        style,
        password="hunter2",
        loki={"token": "hunter2", "url": "http://u:hunter2@loki/"},
        header="Authorization: Bearer hunter2",
        tokens=3,
    )

    assert "hunter2" not in line
    assert "http://***@loki/" in line
    assert "3" in line


@pytest.mark.parametrize("style", ["text", "json"])
def test_exception_is_a_fact(style: str) -> None:
    """A traceback stays on the line of its event."""
    stream = io.StringIO()
    configure_logging("info", style, stream)

    try:
        int("no")
    except ValueError:
        log.exception("failed")

    assert "ValueError: invalid literal" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_level_is_obeyed() -> None:
    """What is less important than the level is not written."""
    assert text_of(level="warning") == ""


def test_configuring_twice_writes_once() -> None:
    """The last configuration replaces the ones before."""
    configure_logging("info", "text", io.StringIO())

    assert text_of().count("indexed") == 1
