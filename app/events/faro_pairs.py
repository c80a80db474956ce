"""Take of a Faro item the pairs that its reader needs, and walk past the others.

An item has some twenty pairs, of which a reader takes a few.
"""

from itertools import chain
from typing import Final

from app.events import faro_items, logfmt
from app.events.faro_items import ELEMENTS, NAVIGATION, READS, VITALS, Fields, Reader
from app.events.faro_meta import META_KEYS

_ALWAYS: Final = ("kind", "event_name", "type", "timestamp")
_OF_EVENTS: Final = logfmt.Keys((*_ALWAYS, *chain.from_iterable(READS.values())))
_OF_VITALS: Final = logfmt.Keys(
    (
        *_ALWAYS,
        *VITALS,
        *["value_" + vital for vital in VITALS],
        NAVIGATION,
        *ELEMENTS,
        *META_KEYS,  # none of them may be there
    )
)


def take(text: str) -> tuple[Reader, Fields]:
    """Return what reads the item *text*, and of its pairs at least all that it takes.

    What reads it is known by then: of the application's own events and measurements, all
    pairs are taken.

    Raises:
        Malformed: it is no logfmt.
        Unreadable: no Faro kind.
    """
    if text.startswith("kind=event "):
        fields = logfmt.parse(text, _OF_EVENTS)
        if fields.get("event_name") in READS:
            return faro_items.reader_of(fields), fields
    elif text.startswith("kind=measurement "):
        fields = logfmt.parse(text, _OF_VITALS)
        reader = faro_items.reader_of(fields)
        if reader is not faro_items.measurement:
            return reader, fields
    fields = logfmt.parse(text)
    return faro_items.reader_of(fields), fields
