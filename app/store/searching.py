"""Look through everything that the index holds for what is one person's.

Not all that a person is known by is a column: of a session with a user id, e-mail or name
may stand in its events alone. So every journal is looked at, which takes a minute for some
million sessions, a chunk at a time and without a lock.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from app.sessions.persons import Person
from app.store.journal import Codec

_CHUNK = 500  # journals looked at between two steps
_OURS = "source in (select id from sources where tenant = :tenant)"
_SESSIONS = f"""
select s.id, s.hash, s.start, j.data
from sessions as s join journals as j on j.session = s.id
where s.id > :after and s.id <= :until and s.{_OURS}
order by s.id limit :limit
"""
_STRANDS = f"""
select hash, hash, seen, data from strands
where hash > :after and session is null and data is not null and {_OURS}
order by hash limit :limit
"""
_ALL = (1 << 63) - 1


class Hit(NamedTuple):
    """A session, or a strand that waits for its session, of the person."""

    hash: int
    start: int  # ms
    events: int


def search(
    db: sqlite3.Connection, codec: Codec, tenant: str, person: Person
) -> Iterator[tuple[float, list[Hit]]]:
    """Yield how much has been looked through, 0 to 1, and what was found.

    What is learned of the person on the way may be in what has been looked at before:
    then that is looked through again. A session may be found more than once.

    Args:
        db: the index.
        codec: of its journals.
        tenant: whose sessions.
        person: grows as more is learned.
    """
    until = _ALL
    while True:
        grown = 0
        for statement in (_SESSIONS, _STRANDS):
            is_session, after = statement is _SESSIONS, -1
            asked = {"tenant": tenant, "until": until, "limit": _CHUNK}
            while rows := db.execute(statement, asked | {"after": after}).fetchall():
                after = rows[-1][0]
                known = person.size()
                found = [*_owned(rows, codec, person)]
                if person.size() > known:
                    grown = after if is_session else _ALL
                yield _share(db, after) if is_session else 1.0, found
        if not grown:
            return
        # behind that, everything was looked at with all that is known
        until = grown if until == _ALL else _ALL


def _owned(
    rows: list[tuple[int, int, int, bytes]], codec: Codec, person: Person
) -> Iterator[Hit]:
    needles = [each.encode() for each in person.needles()]
    for _, hashed, start, data in rows:
        journal = codec.unpack_if(data, needles)
        if journal and person.owns(journal.events, journal.contexts):
            yield Hit(hashed, start, len(journal.events))


def _share(db: sqlite3.Connection, reached: int) -> float:
    """Return how much of the sessions has been looked through."""
    last = db.execute("select max(id) from sessions").fetchone()[0] or 1
    return min(1.0, reached / last)
