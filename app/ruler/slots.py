"""When a group is evaluated: slots, those that are due, those that were missed.

A slot is a multiple of the interval since the epoch, for every group. Prometheus spreads
its groups instead (``hash(group) % interval``), to spread the load of many; here a slot is
the end of a bucket of the same width, so that what a rule recorded and what a panel asks
agree. A slot is evaluated once ``query_offset`` has passed, and its samples carry its own
time: as in Prometheus, the time of evaluation less the offset.
"""

from dataclasses import dataclass

MAX_CATCH_UP = 1_000  # slots made up for a group, unless configured
PATIENCE = 300_000  # ms that a slot waits for a source that is behind


@dataclass(frozen=True, slots=True)
class Due:
    """What to evaluate now.

    Attributes:
        slots: ascending.
        missed: slots before these that are given up.
    """

    slots: tuple[int, ...] = ()
    missed: int = 0


def floor_slot(at: int, interval: int) -> int:
    """Return the last slot up to *at*."""
    return at - at % interval


def due_slots(
    interval: int, last: int, until: int, catch_up: int = MAX_CATCH_UP
) -> Due:
    """List the slots in ``(last, until]``.

    Args:
        interval: ms between two slots.
        last: the slot that was evaluated last; 0 = none, then one slot is due.
        until: ms; see ``ready_until``.
        catch_up: keep the newest so many of those that were missed; the newest of all,
            which is not missed but due, comes on top.

    Source: Prometheus gives up every missed slot (rules/group.go, Group.run).
    """
    newest = floor_slot(until, interval)
    if newest <= last or newest <= 0:
        return Due()
    if not last:
        return Due((newest,))
    first = floor_slot(last, interval) + interval
    count = (newest - first) // interval + 1
    given_up = max(0, count - 1 - catch_up)
    return Due(
        tuple(range(first + given_up * interval, newest + 1, interval)), given_up
    )


def ready_until(
    now: int, offset: int, indexed: int | None, patience: int = PATIENCE
) -> int:
    """Return until when events are known, as far as one can wait for them.

    Args:
        now: ms.
        offset: ms that the group waits for its events.
        indexed: ms until which every source was read; None = there is none.
        patience: ms that a group waits beyond the offset for a source that is behind;
            what it then misses is corrected once it comes.
    """
    settled = now - offset
    if indexed is None:
        return settled
    return min(settled, max(indexed, settled - patience))


def soiled_slots(
    interval: int, since: int, until: int, reach: int, last: int
) -> tuple[int, ...]:
    """List the evaluated slots that events in ``[since, until]`` may change.

    Args:
        interval: ms between two slots.
        since: first event that came late, ms.
        until: last such event.
        reach: ms that the group's rules look back.
        last: slot that was evaluated last.

    Returns:
        Slots after *since* up to *until* + *reach*, and one more, at which series end
        that the correction made longer.
    """
    first = floor_slot(since, interval) + interval
    end = min(last, floor_slot(until + reach, interval) + interval)
    return tuple(range(first, end + 1, interval))
