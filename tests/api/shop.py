"""A small index: two shops, six hours, every figure countable by hand."""

from pathlib import Path

from app.events.decoder import Batch
from app.model import Context, Event, Kind
from app.store.seam import Progress
from app.store.writer import SqliteWriter

START = 1_763_596_800_000  # 2025-11-20T00:00:00Z, ms
HOUR, MINUTE, SECOND = 3_600_000, 60_000, 1_000
END = START + 6 * HOUR


class Shop:
    """Writes sessions, and says what is special about each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._batch = Batch()
        self._key = 0

    def visit(
        self,
        session: str,
        at: int,
        *pages: str,
        lasts: int = MINUTE,
        error: str = "",
        action: str = "",
        **context: str,
    ) -> None:
        """Add a session that loads *pages* evenly over *lasts* ms."""
        app = context.setdefault("app", "shop")
        events = self._batch.events.setdefault((app, session), [])
        step = lasts // max(1, len(pages) - 1)
        for number, page in enumerate(pages):
            when = at + number * step
            known = self._context(page=page, url=f"https://x{page}", **context)
            events.append(self._event(when, Kind.LOAD, known, ""))
            events.append(self._event(when, Kind.VITAL, known, "lcp", 1_000.0 + number))
        last = self._context(page=pages[-1], url=f"https://x{pages[-1]}", **context)
        events.append(self._event(at + lasts, Kind.OTHER, last, "end"))
        if error:
            facts = {"message": f"{error}: it broke, badly", "type": error}
            events.append(self._event(at + lasts, Kind.ERROR, last, error, facts=facts))
        if action:
            events.append(self._event(at + lasts, Kind.ACTION, last, action))

    def close(self) -> None:
        """Write the index."""
        self._batch.entries = self._batch.decoded = self._key
        self._batch.drop("malformed")
        writer = SqliteWriter(self._path, "default")
        writer.ingest("faro", self._batch, Progress(END * 1_000_000))
        writer.close()

    def _context(self, **context: str) -> int:
        key = hash(tuple(sorted(context.items()))) & 0x7FFF_FFFF
        self._batch.contexts[key] = Context(**context)
        return key

    def _event(
        self,
        at: int,
        kind: Kind,
        context: int,
        name: str,
        value: float | None = None,
        facts: dict[str, str] | None = None,
    ) -> Event:
        self._key += 1
        return Event(self._key, at * 1000, at, int(kind), context, name, value, facts)


def fill(path: Path) -> None:
    """Write the index that the tests ask."""
    shop = Shop(path)
    chrome = {
        "browser": "Chrome",
        "country": "SE",
        "device": "desktop",
        "version": "1.0",
    }
    safari = {
        "browser": "Safari",
        "country": "DE",
        "device": "mobile",
        "version": "1.1",
    }
    for number in range(6):
        at = START + number * HOUR + 5 * MINUTE
        user = {"user_id": f"u{number % 2}"}
        shop.visit(f"c{number}", at, "/", "/cart", lasts=2 * MINUTE, **chrome, **user)
    shop.visit("s1", START + HOUR, "/", lasts=SECOND, **safari)
    shop.visit("s2", START + 3 * HOUR, "/cart", "/pay", error="TypeError", **safari)
    shop.visit("s3", START + 5 * HOUR, "/pay", action="buy, now", **safari)
    shop.visit("b1", START + 2 * HOUR, "/post", app="blog", browser="Firefox")
    shop.visit("b/2", START + 4 * HOUR, "/post", app="blog", browser="Firefox")
    shop.visit("e1", START + 4 * HOUR, "/", app="shop.example.com", **chrome)
    shop.close()
