"""Read what an export found: each session as it is without what others did in it."""

import sqlite3
from collections.abc import Iterator

from app.model import Event, SessionKey
from app.sessions.derive import ordered, told_once
from app.sessions.persons import Person
from app.sessions.strands import strand_of
from app.store.insight_seam import Whole
from app.store.journal import Codec, Journal, derived_from, used
from app.store.privacy_seam import Exported

_CHUNK = 50  # journals read at a time; a download of hours holds nothing up
_FOUND = """
select f.start, f.hash, s.id is null, o.name,
  coalesce((select value from strings where id = s.app), ''), coalesce(s.sid, ''),
  coalesce(j.data, w.data)
from (select start, hash from privacy_found
  where request = :request and (start, hash) > (:start, :hash)
  order by start, hash limit :limit) as f
left join sessions as s on s.hash = f.hash
left join journals as j on j.session = s.id
left join strands as w on w.hash = f.hash and w.session is null
left join sources as o on o.id = coalesce(s.source, w.source)
order by f.start, f.hash
"""


def read_found(
    db: sqlite3.Connection, codec: Codec, request: str, person: Person
) -> Iterator[Exported]:
    """Yield what is still there of what a request found."""
    asked = {"request": request, "start": -(1 << 63), "hash": 0, "limit": _CHUNK}
    while rows := db.execute(_FOUND, asked).fetchall():
        asked |= {"start": rows[-1][0], "hash": rows[-1][1]}
        for _, _, is_orphan, source, app, sid, data in rows:
            journal = codec.unpack(data) if data else None
            own = _own(journal, person) if journal else []
            if journal is None or not own:
                continue  # it was deleted, or is all somebody else's
            contexts = used(own, journal.contexts, {})
            left = Journal(own, contexts, journal.is_cut, journal.shape)
            session = derived_from(SessionKey(source, app, sid), left)
            told = told_once(own, contexts, journal.shape)
            received = [each.received for each in own]
            whole = Whole(session, *told, (min(received), max(received)))
            others = len(journal.events) - len(own)
            events = ordered(own, journal.shape)
            yield Exported(whole, events, contexts, bool(is_orphan), others)


def _own(journal: Journal, person: Person) -> list[Event]:
    """Return the events that are the person's or nobody's.

    A trace is whose any of its events says that it is.
    """
    of_others: set[str] = set()
    of_person = {""}
    for event in journal.events:
        context = journal.contexts[event.context]
        if person.is_named(event, context):
            of_person.add(strand_of(event))
        elif person.is_another(event, context):
            of_others.add(strand_of(event))
    of_others -= of_person
    return [
        event
        for event in journal.events
        if strand_of(event) not in of_others
        and not person.is_another(event, journal.contexts[event.context])
    ]
