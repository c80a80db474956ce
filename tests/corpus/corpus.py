"""The recorded corpus: real SDKs in a real browser, and what its driver did with them.

``truth.json`` was written by the driver alone; its ``about`` explains every field.
"""

import gzip
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from app.model import Entry

DATA = Path(__file__).parents[1] / "data" / "faro"
OLD_SDK = "1.19.0"  # sends no user actions
UNLOADS = "go-to-checkout"  # its click unloads the page, and its event is lost
NEXT_SESSION = "NEW session id"  # a note on an action sent after the session's reset
NO_ACTION = frozenset({"session_extend", "securitypolicyviolation"})


def read(name: str) -> Any:
    """Read one file of the corpus."""
    return gzip.decompress((DATA / f"{name}.gz").read_bytes())


@cache
def entries(name: str) -> tuple[Entry, ...]:
    """Return the entries of ``lines``, ``lines-otel`` or ``lines-json-sample``."""
    rows = [orjson.loads(line) for line in read(f"{name}.jsonl").splitlines()]
    return tuple(
        Entry(
            row["ts_ns"], row["line"], row["labels"], row.get("structured_metadata", {})
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """One session as the driver saw it."""

    journey: str
    id: str
    told: dict[str, Any]
    around: dict[str, Any]  # of its journey
    actions: Counter[str]

    @property
    def pages(self) -> list[str]:
        """Paths in visiting order; the page on which it rotated was open already."""
        pages = [path(url) for url in self.told["pages"]]
        opened = self.told.get("rotated_on_open_page")
        return [path(opened), *pages] if opened and path(opened) != pages[0] else pages

    @property
    def failed(self) -> int:
        """How many of its provoked requests failed."""
        statuses = [
            each["api"].split()[2] for each in self.told["expect"] if "api" in each
        ]
        return sum(int(status) >= 400 for status in statuses)


def path(url: str) -> str:
    """Return the path of a URL."""
    return urlsplit(url).path


@cache
def truths() -> tuple[Truth, ...]:
    """Return every session of the corpus, also the one that was sampled out."""
    found = []
    for journey in orjson.loads(read("truth.json"))["journeys"]:
        carried: list[str] = []
        for told in journey["sessions"]:
            actions, carried = _actions(told, carried)
            name = journey["journey"]
            found.append(Truth(name, told["session_id"], told, journey, actions))
    return tuple(found)


def _actions(
    told: dict[str, Any], carried: list[str]
) -> tuple[Counter[str], list[str]]:
    """Return the actions that Faro reports in a session, and those sent in the next."""
    names = [each["event"] for each in told["expect"] if "event" in each]
    names = [name for name in names if name not in NO_ACTION]
    named = [] if told["sdk_version"] == OLD_SDK else told["named_actions"]
    later = [name.split()[0] for name in named if NEXT_SESSION in name]
    here = [name for name in named if name != UNLOADS and NEXT_SESSION not in name]
    return Counter(names + here + carried), later
