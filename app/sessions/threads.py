"""Divide the events of one visitor into sessions, where no line says which is which.

Two events belong together when less than a gap lies between them. Parts, such as the
page loads of a tab, hold together by themselves, unless they idle for too long. An
event more can join sessions and never divides one, so what a late line changes lies
near it.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from app.events.decoder import Rule
from app.model import Event

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
Moment = tuple[int, Event]  # (believed time, ms; event)


def part_of(event: Event) -> str:
    """Return the part that an event belongs to; "" where there are none."""
    return str((event.facts or {}).get("part", ""))


def divide(moments: Iterable[Moment], rule: Rule) -> list[list[Moment]]:
    """Divide events into sessions, each ascending, the sessions as well."""
    pieces = _pieces(moments, rule)
    pieces.sort(key=lambda piece: (piece[0][0], piece[0][1].key))
    found: list[list[Moment]] = []
    end = 0
    for piece in pieces:
        if found and piece[0][0] - end < rule.gap_ms:
            found[-1] += piece
        else:
            found.append(list(piece))
            end = 0
        end = max(end, piece[-1][0])
    for each in found:
        each.sort(key=_order)
    return found


def _pieces(moments: Iterable[Moment], rule: Rule) -> list[list[Moment]]:
    if not rule.has_parts:
        return [[each] for each in moments]
    parts: dict[str, list[Moment]] = defaultdict(list)
    for each in moments:
        parts[part_of(each[1])].append(each)
    pieces: list[list[Moment]] = []
    for part in parts.values():
        part.sort(key=_order)
        piece: list[Moment] = []
        for each in part:
            if piece and rule.idle_ms and each[0] - piece[-1][0] >= rule.idle_ms:
                pieces.append(piece)
                piece = []
            piece.append(each)
        pieces.append(piece)
    return pieces


def name_of(who: str, moments: list[Moment], rule: Rule) -> str:
    """Name a session after its first event: it tells sessions of one visitor apart.

    Stitched page loads are named after the first of them, and after the visitor: two
    users of one page load have a session each.
    """
    at, first = moments[0]
    part = part_of(first)
    if not part:
        return f"{who}~{_spell(at)}"
    digest = blake2b(who.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{part}~{digest}" + (f"~{_spell(at)}" if rule.idle_ms else "")


def _spell(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


def _order(moment: Moment) -> tuple[int, int, int]:
    return moment[0], moment[1].received, moment[1].key
