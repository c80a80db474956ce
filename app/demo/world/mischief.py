"""What networks, clocks and receivers do to a session's lines on their way."""

from dataclasses import dataclass

from app.demo.world.dice import Dice
from app.demo.world.tab import Delivery
from app.model import Entry

_SECOND_NS = 10**9
_MS_NS = 10**6
_MOST_SHUFFLED_MS = 20_000
_MOST_APART_MS = 30_000  # of two copies
_SKEWS_MS = (37 * 60_000, -26 * 3_600_000)


@dataclass(frozen=True, slots=True)
class Mischief:
    """How much of each mischief a world has; none by default.

    Shares are of batches, but for `skewed`, which is of sessions.
    """

    late: float = 0.0  # received up to late_ms after the event, and stamped so
    backdated: float = 0.0  # stamped as usual, but in Loki up to late_ms later
    late_ms: int = 30 * 60_000
    duplicates: float = 0.0  # stored twice, the second time with a later stamp
    identical: float = 0.0  # delivered twice with the same stamp: Loki keeps one
    shuffled: float = 0.0  # up to 20 s later, so that batches overtake each other
    skewed: float = 0.0  # browsers' clocks +37 min or -26 h off
    burst_every: int = 0  # in every n-th minute many lines share one nanosecond
    burst_lines: int = 0  # and one session sends so many more in that nanosecond
    broken: float = 0.0  # broken lines a minute, mean

    @property
    def longest_ms(self) -> int:
        """How much later than without mischief a line can come."""
        if self == NO_MISCHIEF:
            return 0
        return 2 * self.late_ms + 2 * _MOST_SHUFFLED_MS + _MOST_APART_MS

    def skew_ms(self, dice: Dice) -> int:
        """Draw how wrong a browser's clock is."""
        return dice.one(_SKEWS_MS) if dice.random() < self.skewed else 0

    def has_burst(self, minute: int) -> bool:
        """Tell whether that minute since the epoch has a burst."""
        return self.burst_every > 0 and minute % self.burst_every == 0


NO_MISCHIEF = Mischief()


def disturb(
    mischief: Mischief, dice: Dice, batches: list[list[Delivery]]
) -> list[Delivery]:
    """Deliver *batches* with mischief: later, twice, in another order."""
    delivered: list[Delivery] = []
    for original in batches:
        batch = original
        if dice.random() < mischief.late:
            batch = later(batch, dice.below(mischief.late_ms))
        if dice.random() < mischief.shuffled:
            batch = later(batch, dice.below(_MOST_SHUFFLED_MS))
        if dice.random() < mischief.backdated:
            wait_ns = dice.below(mischief.late_ms) * _MS_NS
            batch = [(at + wait_ns, entry) for at, entry in batch]
        delivered += batch
        if dice.random() < mischief.duplicates:
            delivered += later(batch, 1 + dice.below(_MOST_APART_MS))
        if dice.random() < mischief.identical:
            delivered += [(at + 5 * _SECOND_NS, entry) for at, entry in batch]
    return delivered


def later(batch: list[Delivery], wait_ms: int) -> list[Delivery]:
    """Receive, and so stamp, a batch *wait_ms* later."""
    wait_ns = wait_ms * _MS_NS
    return [(at + wait_ns, restamp(entry, entry.ts + wait_ns)) for at, entry in batch]


def restamp(entry: Entry, ts: int) -> Entry:
    """Give an entry another time of receipt, ns."""
    return Entry(ts, entry.line, entry.labels, entry.metadata)


def squeeze(deliveries: list[Delivery], minute: int) -> list[Delivery]:
    """Stamp what is received in the first half of a minute with the end of that half.

    Args:
        deliveries: of one session, in any order.
        minute: since the epoch.
    """
    from_ns = minute * 60 * _SECOND_NS
    to_ns = from_ns + 30 * _SECOND_NS
    return [
        (max(at, to_ns), restamp(entry, to_ns))
        if from_ns <= entry.ts < to_ns
        else (at, entry)
        for at, entry in deliveries
    ]


def count_stored(deliveries: list[Delivery]) -> int:
    """Count the entries that Loki keeps: what is identical, it keeps once."""
    return len({(entry.ts, entry.line) for _, entry in deliveries})
