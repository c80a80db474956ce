"""Fill an index with a world that has some of everything, and know it plainly."""

from functools import cache

from app.demo.world import SessionTruth, World
from app.model import Entry, Session
from app.sessionql.plan import Window
from app.store.seam import Progress, Reader
from tests.build import HOUR
from tests.driver import decode
from tests.store.engines import Engine
from tests.store.plain import Known, know
from tests.worlds import NOON

START, END = NOON - HOUR, NOON + 2 * HOUR
NOW = NOON + HOUR
WINDOW = Window(START, END, 0, NOW)


@cache
def lines() -> tuple[tuple[Entry, ...], tuple[SessionTruth, ...]]:
    """Return an hour's visits: their lines, and who came."""
    truths: list[SessionTruth] = []
    world = World(9, sessions_per_hour=140, visitors=60, incident_ms=NOON - HOUR)
    end = NOON + HOUR
    told = world.history(NOON, end, whole=True, on_session=truths.append)
    return tuple(told), tuple(truths)


def fill(engine: Engine, tenant: str = "default") -> None:
    """Write the world into an index."""
    batch = decode(lines()[0])
    engine.writer(tenant).ingest("faro", batch, Progress(END * 1_000_000))


def sessions(reader: Reader) -> list[Session]:
    """Return every session of the world, derived from its events."""
    found = [reader.session(each.app, each.session_id) for each in lines()[1]]
    return [session for session in found if session]


def town(reader: Reader) -> list[Known]:
    """Return every session as the catalog tells it."""
    return know(sessions(reader), NOW)
