"""Read the text of a setting by its kind; each says what it refuses and the remedy."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.configuration.problems import nearest
from app.configuration.units import parse_duration, parse_size
from app.errors import SourceRefused
from app.events import formats
from app.events.decoder import DECODERS
from app.events.paths import Condition
from app.events.paths import Path as Where
from app.settings import Setting
from app.sources.loki.logql import parse_selector

Kind = Callable[[str, Setting, Path], Any]
KINDS: dict[str, Kind] = {}

FORMATS = formats.FORMATS  # importing them registers their decoders
MAX_TEXT = 4_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_BOOLEANS = {"true": True, "yes": True, "on": True}
_BOOLEANS |= {"false": False, "no": False, "off": False}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Register how a kind of text is read. What it refuses it raises as ValueError."""

    def register(read: Kind) -> Kind:
        KINDS[name] = read
        return read

    return register


@kind("text")
@kind("secret")
def read_text(text: str, _note: Setting, _base: Path) -> str:
    """Read one line of text."""
    if _CONTROL.search(text):
        raise ValueError("holds a line end or a control character; remove it")
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters; shorten it")
    return text


@kind("name")
def read_name(text: str, _note: Setting, _base: Path) -> str:
    """Read a name."""
    if not _NAME.fullmatch(text):
        raise ValueError("is no name; use up to 64 letters, digits, _ . and -")
    return text


@kind("boolean")
def read_boolean(text: str, _note: Setting, _base: Path) -> bool:
    """Read true or false."""
    if text.lower() not in _BOOLEANS:
        raise ValueError("is neither true nor false; write one of them")
    return _BOOLEANS[text.lower()]


@kind("whole")
def read_whole(text: str, _note: Setting, _base: Path) -> int:
    """Read a whole number."""
    if not re.fullmatch(r"[+-]?[0-9][0-9_]{0,17}", text):
        raise ValueError("is no whole number; write digits only")
    return int(text)


@kind("duration")
def read_duration(text: str, _note: Setting, _base: Path) -> int:
    """Read a duration, in ms."""
    return parse_duration(text)


@kind("seconds")
def read_seconds(text: str, _note: Setting, _base: Path) -> float:
    """Read a duration, in seconds."""
    return parse_duration(text) / 1_000


@kind("whole_seconds")
def read_whole_seconds(text: str, _note: Setting, _base: Path) -> int:
    """Read a duration, in seconds, rounded down."""
    return parse_duration(text) // 1_000


@kind("share")
def read_share(text: str, _note: Setting, _base: Path) -> float:
    """Read a share: of one, or in percent."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?\s?%?", text):
        raise ValueError("is no share; write 25% or 0.25")
    number = float(text.rstrip("% "))
    return number / 100 if text.endswith("%") else number


@kind("size")
def read_size(text: str, _note: Setting, _base: Path) -> int:
    """Read a size, in bytes."""
    return parse_size(text)


@kind("choice")
def read_choice(text: str, note: Setting, _base: Path) -> str:
    """Read one of a few words."""
    if text not in note.choices:
        raise ValueError(f"is not known; {nearest(text, note.choices)}")
    return text


@kind("format")
def read_format(text: str, _note: Setting, _base: Path) -> str:
    """Read the name of a format that there is a decoder for."""
    if text not in DECODERS:
        raise ValueError(f"is no format; {nearest(text, sorted(DECODERS))}")
    return text


@kind("field")
def read_field(text: str, _note: Setting, _base: Path) -> str:
    """Read where in a line something stands."""
    Where(text)
    return text.strip()


@kind("fields")
def read_fields(text: str, _note: Setting, _base: Path) -> str:
    """Read several of them, divided by commas; each may have a name before a ``=``."""
    for each in text.split(","):
        name, _, where = each.partition("=")
        Where((where if name.strip() else each) or name)
    return text.strip()


@kind("condition")
def read_condition(text: str, _note: Setting, _base: Path) -> str:
    """Read which lines are meant."""
    Condition(text)
    return text.strip()


@kind("selector")
def read_selector(text: str, _note: Setting, _base: Path) -> str:
    """Read a LogQL stream selector."""
    try:
        query = parse_selector(text)
    except SourceRefused:
        raise ValueError(
            'is no LogQL selector; write one like {app="shop"}, in single quotes'
        ) from None
    if "=" not in query.matchers and "!" not in query.matchers:
        raise ValueError('selects by no label; write one like {app="shop"}')
    return text.strip()


@kind("url")
def read_url(text: str, _note: Setting, _base: Path) -> str:
    """Read the base address of a service."""
    url = text.strip().rstrip("/")
    _require_web(url)
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("holds a password; write it as username and password")
    if parts.query or parts.fragment:
        raise ValueError("goes on after the path; remove all from ? or # on")
    if "/loki/api" in parts.path:
        raise ValueError("goes too far; remove /loki/api and what follows")
    return url


@kind("origins")
def read_origins(text: str, _note: Setting, _base: Path) -> tuple[str, ...]:
    """Read origins, divided by commas."""
    origins = tuple(each.strip() for each in text.split(",") if each.strip())
    for origin in origins:
        if origin != "*":
            _require_web(origin)
            if urlsplit(origin).path or "@" in origin:
                raise ValueError("goes past the port; write https://grafana.example")
    return origins


@kind("urls")
def read_urls(text: str, note: Setting, base: Path) -> tuple[str, ...]:
    """Read base addresses, divided by commas."""
    given = (each.strip() for each in text.split(","))
    return tuple(read_url(each, note, base) for each in given if each)


@kind("paths")
def read_paths(text: str, _note: Setting, base: Path) -> tuple[str, ...]:
    """Read paths or patterns of paths, divided by commas."""
    given = (each.strip() for each in text.split(","))
    return tuple(str(_resolve(each, base)) for each in given if each)


@kind("path")
def read_path(text: str, _note: Setting, base: Path) -> Path:
    """Read the path of a file that need not be there yet."""
    path = _resolve(text, base)
    if path.is_dir():
        raise ValueError("is a directory; name a file in it")
    return path


@kind("file")
def read_file(text: str, _note: Setting, base: Path) -> Path:
    """Read the path of a file that can be read."""
    path = _resolve(text, base)
    try:
        with path.open("rb"):
            return path
    except OSError as err:
        raise ValueError(
            f"cannot be read: {err.strerror}; check path and rights"
        ) from None


def _resolve(text: str, base: Path) -> Path:
    if "\x00" in text:
        raise ValueError("is no path; remove the control character")
    return base / Path(text).expanduser()


def _require_web(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        usable = usable and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            "is no http(s) address; it looks like http://loki.example:3100"
        )
