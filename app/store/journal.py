"""Keep the events of one session small: packed, then compressed."""

from collections.abc import Iterable, Mapping

import msgspec
import zstandard

from app.model import Context, Event, Session, SessionKey
from app.sessions.derive import derive

_LEVEL = -1  # half the time of level 3, and 1 % larger
# Text that compressed journals refer to; never change it, add a second one.
_DICTIONARY = zstandard.ZstdCompressionDict(
    b"productionstagingChromeSafariFirefoxEdgeWindowsmacOSAndroidiOSLinuxdesktopmobile"
    b"en-USen-GBde-DEfr-FRpt-BR142.0.0.0https://session.user.page.eventutm_source="
    b"\xa6status\xa5bytes\xa4type\xa8duration\xa6method\xa5trace\xa4span\xa7message"
    b"\xa5stack\xa3dns\xa3tcp\xa3tls\xa7request\xa8response\xa4load\xa7element"
    b"startresumeextendnavigatereloadfetchxmlhttprequesttriggerpointerdown"
    b"needs-improvementpoor\xa3lcp\xa3inp\xa3cls\xa4ttfb\xa3fcp"
    b"\xa3nav\xaa\xa2id\xbcv6-1795166\xa6rating\xa4good",
    dict_type=zstandard.DICT_TYPE_RAWCONTENT,
)


class Journal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The events of one session, and the contexts that they refer to."""

    events: list[Event]
    contexts: dict[int, Context]
    is_cut: bool = False
    shape: str = ""  # in which manner its session is derived; "" = as Faro's


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Journal).decode


class Codec:
    """Packs and unpacks journals; not to be shared between threads."""

    def __init__(self) -> None:
        self._compress = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=_DICTIONARY, write_checksum=False
        ).compress
        self._decompress = zstandard.ZstdDecompressor(dict_data=_DICTIONARY).decompress

    def pack(self, journal: Journal) -> bytes:
        """Return *journal* as bytes."""
        return self._compress(_encode(journal))

    def unpack(self, data: bytes) -> Journal:
        """Return the journal that ``pack`` made bytes of."""
        return _decode(self._decompress(data))

    def unpack_if(self, data: bytes, needles: Iterable[bytes]) -> Journal | None:
        """Return the journal if it holds one of *needles*: texts, as UTF-8."""
        told = self._decompress(data)
        return _decode(told) if any(each in told for each in needles) else None


def used(
    events: list[Event], new: Mapping[int, Context], known: Mapping[int, Context]
) -> dict[int, Context]:
    """Return the contexts that *events* refer to, out of those that are at hand."""
    keys = {event.context for event in events}
    return {key: known[key] if key in known else new[key] for key in keys}


def derived_from(key: SessionKey, journal: Journal) -> Session:
    """Derive the session *key* from its journal."""
    return derive(
        key,
        journal.events,
        journal.contexts,
        is_cut=journal.is_cut,
        shape=journal.shape,
    )
