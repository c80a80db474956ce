"""Two clocks: when Loki received an event, and when its reporter says it happened.

Browsers' clocks lie, by minutes or days; Loki's does not. Within one session the lie
is one and the same, so it is taken out once, and the order of events stays.
"""

from bisect import bisect_left
from typing import Final

# so far off, a clock is taken at its word: delivery takes seconds
TRUSTED_MS: Final = 60_000
# so far from its receipt, an event may still be true
BELIEVED_MS: Final = 4 * 3_600_000 + 900_000


def skew_of(delays: list[int]) -> int:
    """Return the ms to add to what a reporter says; 0 when its clock is trusted.

    The shortest delay of all events says how far off the clock is: nothing arrives
    before it happens, while what is back-dated (a page load, an action) or sent again
    after an outage has any delay. Of ten events one may be forged: it is passed over,
    unless others say much the same.

    Args:
        delays: receipt less reported time, ms, of each event with a time; gets sorted.
    """
    if all(-TRUSTED_MS <= delay <= TRUSTED_MS for delay in delays):
        return 0  # as the shortest of these is, too
    delays.sort()
    usual = delays[len(delays) // 10]
    shortest = delays[bisect_left(delays, usual - TRUSTED_MS)]
    return 0 if abs(shortest) <= TRUSTED_MS else shortest
