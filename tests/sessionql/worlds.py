"""Make small random worlds, in which everything collides: few pages, users, times."""

import random
import zlib
from pathlib import Path

from app.events.decoder import Batch
from app.model import Context, Event, Kind, Session
from app.store.reader import SqliteReader
from app.store.seam import Progress
from app.store.writer import SqliteWriter

NOON = 1_795_176_000_000  # 2026-11-20T12:00:00Z, ms
HOUR = 3_600_000
PAGES = ("/", "/cart", "/päge é", "/50%_off", "")
ACTIONS = ("pay", "add", "Ä'b", "pre-mium")
ERRORS = ("TypeError", "É", 'x"y')
MESSAGES = ("cart is empty", "boom 1", "boom 2", "")
USERS = ("u1", "u2", "ü@x.de", "")
VERSIONS = ("1.0", "1.1", "")
BROWSERS = ("Chrome", "Safari", "")
COUNTRIES = ("IN", "SE", "")
PLANS = ("premium", "free", "3", "2.5", "1e1", "-1", "cart")
ATTRIBUTES = ("session.plan", "user.role", "page.title", "event.sku")
VITALS = ("lcp", "inp", "cls", "ttfb", "fcp")


class World:
    """Sessions, and the index that holds them."""

    def __init__(self, seed: int, path: Path) -> None:
        self._dice = random.Random(seed)
        self._batch = Batch()
        self._key = 0
        self.names = [
            self._visit(number) for number in range(self._dice.randint(1, 14))
        ]
        writer = SqliteWriter(path, "default")
        writer.ingest("faro", self._batch, Progress(1))
        steps = random.Random(seed).choice((0, 2, 99))
        for _ in range(steps):  # of some worlds all sessions are kept by column
            writer.roll_up(NOON + 99 * HOUR, "single_view")
        writer.close()
        # rollups estimate quantiles
        self.reader = SqliteReader(path, "default", exact=steps > 0)

    def sessions(self) -> list[Session]:
        """Return every session, folded from its events."""
        found = [self.reader.session(app, name) for app, name in self.names]
        return [each for each in found if each is not None]

    def _visit(self, number: int) -> tuple[str, str]:
        dice, pick = self._dice, self._dice.choice
        app, name = (
            pick(("shop", "shop", "blog")),
            f"s{number}" if number != 3 else "s'3",
        )
        at = NOON + dice.randrange(-2 * HOUR, 2 * HOUR, 500)
        known = {
            "app": app, "version": pick(VERSIONS), "browser": pick(BROWSERS),
            "country": pick(COUNTRIES), "environment": pick(("production", "")),
            "device": pick(("mobile", "")), "previous": pick(("", "", "s1")),
        }  # fmt: skip
        events = self._batch.events.setdefault((app, name), [])
        for _ in range(dice.randint(1, 9)):
            user = pick(USERS) if dice.random() < 0.3 else ""
            page = pick(PAGES)
            names = {"user_email" if "@" in user else "user_id": user} if user else {}
            attributes = {
                each: pick(PLANS) for each in ATTRIBUTES[:3] if dice.random() < 0.1
            }
            url = f"https://x{page}" if page else ""
            context = self._context(
                page=page, url=url, attributes=attributes, **names, **known
            )
            events.append(self._event(at, context))
            at += pick((0, 0, 0, 500, 1_000, 1_000, 30_000, 60_000, 1_200_000))
        return app, name

    def _context(self, **fields: object) -> int:
        context = Context(**fields)  # type: ignore[arg-type]
        key = zlib.crc32(repr(context).encode())
        self._batch.contexts[key] = context
        return key

    def _event(self, at: int, context: int) -> Event:
        dice, pick = self._dice, self._dice.choice
        self._key += 1
        kind = pick((Kind.LOAD, Kind.LOAD, Kind.VIEW, Kind.ACTION, Kind.ACTION,
                     Kind.ERROR, Kind.VITAL, Kind.LOG, Kind.OTHER, Kind.RESOURCE))  # fmt: skip
        name, value, facts = "", None, None
        if kind == Kind.ACTION:
            name = pick(ACTIONS)
            facts = {"sku": pick(PLANS)} if dice.random() < 0.4 else None
        elif kind == Kind.ERROR:
            name = pick(ERRORS)
            facts = {
                "message": pick(MESSAGES),
                "type": name,
                "fatal": dice.random() < 0.2,
            }
        elif kind == Kind.VITAL:
            name = pick(VITALS)
            value = (
                pick((0.0, 0.125, 0.25))
                if name == "cls"
                else pick((100.0, 200.0, 400.0))
            )
        elif kind == Kind.LOG:
            name = pick(("error", "info"))
        elif kind == Kind.RESOURCE:
            name, facts = "GET", {"status": pick((200, 404))}
        received = at * 1000 + self._key % 1000
        return Event(self._key, received, at, int(kind), context, name, value, facts)
