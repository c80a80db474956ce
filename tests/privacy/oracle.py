"""Tell which lines are a person's, in another way than the index does; and compare indexes."""

import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from app.events.decoder import Batch
from app.jobs.privacy import finish
from app.model import Context, Entry, Event
from app.sessionql.plan import Window
from app.sessions.strands import session_of
from app.settings import Settings, SourceSettings
from app.store import open_privacy_book
from app.store.columns.chunks import Labels
from app.store.columns.packing import unpack
from app.store.columns.tables import TABLES
from app.store.insight_seam import FlowQuestion, Ranking
from app.store.privacy_seam import ERASURE, Exported, Request
from app.store.rollups.packed import Held
from app.store.rollups.shapes import unite_users
from app.store.rollups.tables import DIMENSIONS, KEYS, LEVELS, SUMS
from tests.build import HOUR
from tests.driver import Index, decode
from tests.dump import dump

LATER = 1 << 52  # ms; after everything
Group = tuple[str, str, str]
_HISTOGRAMS = ("duration", "lcp", "dwell", "latency")


@dataclass
class Lines:
    """Lines that belong together: of one session, trace without session, or visitor."""

    entries: list[Entry] = field(default_factory=list)
    told: list[tuple[Event, Context]] = field(default_factory=list)


def grouped(entries: Iterable[Entry], source: SourceSettings) -> dict[Group, Lines]:
    """Group lines as sessions do, each decoded by itself."""
    found: dict[Group, Lines] = defaultdict(Lines)
    traces: dict[tuple[str, str], Lines] = defaultdict(Lines)
    for entry in entries:
        batch = decode([entry], source)
        for kind, told in (("session", batch.events), ("visitor", batch.threads)):
            for (app, own), events in told.items():
                _add(found[kind, app, own], entry, events, batch)
        for address, events in batch.strands.items():
            _add(traces[address], entry, events, batch)
    for (app, trace), lines in traces.items():
        session = session_of([event for event, _ in lines.told])
        group = ("session", app, session) if session else ("trace", app, trace)
        found[group].entries += lines.entries
        found[group].told += lines.told
    return found


def _add(lines: Lines, entry: Entry, events: list[Event], batch: Batch) -> None:
    lines.entries.append(entry)
    lines.told += [(event, batch.contexts[event.context]) for event in events]


def identities(event: Event, context: Context) -> set[str]:
    """Return by what an event identifies its user."""
    said = {context.user_id, context.user_email, context.user_name}
    if event.kind in {15, 16}:
        said.add((event.facts or {}).get("user", ""))
    return said - {""}


def lines_of(groups: dict[Group, Lines], user: str) -> list[Entry]:
    """Return all lines of one person, found by trying until nothing is new."""
    ids, browsers = {user}, set[str]()
    while True:
        before = len(ids) + len(browsers)
        for lines in groups.values():
            for event, context in lines.told:
                if identities(event, context) & ids:
                    ids |= identities(event, context) - {context.user_name} | {user}
                    ids |= {context.user_id} - {""}
                    browsers |= {context.anonymous} - {""}
        if len(ids) + len(browsers) == before:
            break
    return [
        entry
        for lines in groups.values()
        if _is_theirs(lines, user, ids, browsers)
        for entry in lines.entries
    ]


def _is_theirs(lines: Lines, user: str, ids: set[str], browsers: set[str]) -> bool:
    said = [identities(*each) for each in lines.told]
    if any(each & ids for each in said):
        return True
    if any(context.anonymous == user for _, context in lines.told):
        return True
    return not any(said) and any(
        context.anonymous in browsers for _, context in lines.told
    )


def without(entries: Iterable[Entry], gone: Iterable[Entry]) -> list[Entry]:
    """Return *entries* but for those that are *gone*, which are the same objects."""
    taken = set(map(id, gone))
    return [entry for entry in entries if id(entry) not in taken]


def batches(entries: Sequence[Entry], size: int) -> list[Sequence[Entry]]:
    """Cut entries into batches."""
    return [entries[at : at + size] for at in range(0, len(entries), size)]


def ask(settings: Settings, kind: str, user: str, **more: Any) -> Request:
    """Do a request from begin to end."""
    with closing(open_privacy_book(settings)) as book:
        request = book.add(kind, user, more.pop("now", LATER), **more)
        assert book.claim("test", 1, request.id) == request.id
        assert finish(book, request.id, "test", settings.bounce)
        done = book.get(kind, request.id)
    assert done is not None
    return done


def erase(index: Index, user: str, **more: Any) -> Request:
    """Erase a user."""
    return ask(index.settings, ERASURE, user, **more)


def exported(settings: Settings, user: str) -> Iterator[Exported]:
    """Export a user."""
    request = ask(settings, "export", user)
    with closing(open_privacy_book(settings)) as book:
        yield from book.read(request.id)


# -- what an index holds ------------------------------------------------------------


def everything(index: Index) -> dict[str, Any]:
    """Return all that an index holds of sessions, apart from how it numbers it."""
    while index.writer.roll_up(LATER, "single_view") or index.writer.tidy():
        pass
    found: dict[str, Any] = dict(dump(index.path, counters=False))
    del found["seconds"], found["sources"]
    with closing(sqlite3.connect(index.path)) as db:
        strings = {None: None, 0: None}
        strings |= dict(map(tuple, db.execute("select * from strings")))
        found["strings"] = sorted(each for each in strings.values() if each)
        for table, columns in (
            ("strands", "hash, session, seen, events"),
            ("threads", "t.who, t.part, s.hash"),
        ):
            joined = " as t join sessions as s on s.id = t.session"
            source = table + (joined if table == "threads" else "")
            rows = db.execute(f"select {columns} from {source}")  # noqa: S608
            found[table] = sorted(rows.fetchall(), key=repr)
        found["rollups"] = _rollups(db, strings)
        found["columns"] = _columns(db, strings)
        found["pages"] = _pages(index, db)
        for table in ("loose", "rollup_dirty", "columns_dirty"):
            found[table] = db.execute(f"select * from {table}").fetchall()  # noqa: S608
    return found


def _rollups(db: sqlite3.Connection, strings: dict[Any, Any]) -> list[Any]:
    rows = []
    for dimension, name in enumerate(DIMENSIONS):
        for level in range(len(LEVELS)):
            held = Held(db, dimension, [(level, 0, LATER)])
            keys = [held.numbers(key).tolist() for key in KEYS]
            sums = zip(*(held.numbers(each).tolist() for each in SUMS), strict=True)
            lengths = [held.numbers(f"{n}/lengths").tolist() for n in _HISTOGRAMS]
            users = held.users() or [b""] * held.size
            cells = zip(
                held.buckets.tolist(), *keys, sums, zip(*lengths, strict=True), users,
                strict=True,
            )  # fmt: skip
            rows += [
                (
                    name, level, bucket, source,
                    *(strings[each] for each in (app, environment, value)),
                    figures, sizes,
                    sorted(strings[each] for each in unite_users([packed])) if packed else [],
                )
                for bucket, source, app, environment, value, figures, sizes, packed in cells
            ]  # fmt: skip
    return sorted(rows, key=repr)


def _columns(db: sqlite3.Connection, strings: dict[Any, Any]) -> list[Any]:
    rows = []
    for group, level, bucket in db.execute(
        "select id, level, bucket from row_groups where sessions > 0"
    ).fetchall():
        for table, known in TABLES.items():
            columns = {}
            for name in known.columns:
                data = db.execute(
                    "select data from column_chunks where row_group = ? and name = ?",
                    (group, f"{table}.{name}"),
                ).fetchone()
                is_text = name in known.labels and name not in {"source", "status"}
                if data and (table, name) != ("sessions", "id"):
                    columns[name] = _values(unpack(data[0]), is_text and strings)
            cells = zip(*columns.values(), strict=True)
            rows.append((level, bucket, table, [*columns], sorted(map(repr, cells))))
    return sorted(rows, key=repr)


def _pages(index: Index, db: sqlite3.Connection) -> list[Any]:
    """Return what is said of pages, which is kept of row groups; see ``tests/privacy``."""
    ends = db.execute("select min(start), max(start) + 1 from sessions").fetchone()
    if ends[0] is None:
        return []
    window = Window(ends[0] // HOUR * HOUR, ends[1] // HOUR * HOUR + HOUR, 0, LATER)
    flow, names = (answer := index.reader.flow(FlowQuestion(window))).flow, answer.names
    passages = [
        (names.get(source[1]), names.get(target[1]), each.count)
        for (source, target), each in flow.edges.items()
    ]
    kept = "select count(*) from column_chunks where name like 'kept/%' and data != x''"
    assert db.execute(kept).fetchone()[0]
    places = index.reader.places(Ranking(window, sort="views", limit=1_000))
    return [sorted(map(repr, passages)), sorted(map(repr, places.items))]


def _values(column: Any, strings: Any) -> list[Any]:
    if isinstance(column, Labels):
        found = [int(column.ids[code]) for code in column.codes.tolist()]
        return [strings[each] for each in found] if strings else found
    known = column.known
    values = column.values.tolist()
    if known is None:
        return values
    return [
        each if is_known else None for each, is_known in zip(values, known, strict=True)
    ]


def shuffled(entries: Sequence[Entry], seed: int) -> list[Entry]:
    """Return them in another order."""
    found = list(entries)
    random.Random(seed).shuffle(found)
    return found
