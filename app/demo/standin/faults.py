"""Misbehave on purpose: late, refused, cut, silent answers, counted or by chance."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, and to which requests it applies.

    A fault with ``cut_after_bytes`` or ``silent_over_bytes`` waits for an answer whose
    body is longer than that; others apply to any request. Nothing else set, a fault
    is its delay.
    """

    delay_s: float = 0.0
    status: int | None = None  # answer this instead
    body: str = "a fault of the stand-in\n"  # of that answer
    content_type: str = "text/plain; charset=utf-8"
    retry_after_s: int | None = None  # adds the header Retry-After
    cut_after_bytes: int | None = None  # close after this much of the body
    silent_over_bytes: int | None = None  # hold, then close without a byte
    times: int | None = None  # how many requests; None is all of them
    probability: float = 1.0  # of each request it could apply to
    seed: int = 0  # of that chance
    only_paths: tuple[str, ...] = ()  # path prefixes; none is all

    @property
    def over_bytes(self) -> int | None:
        """Return the length that a body must exceed; None when none is needed."""
        if self.cut_after_bytes is not None:
            return self.cut_after_bytes
        return self.silent_over_bytes


def refusals(*statuses: int, retry_after_s: int | None = None) -> list[Fault]:
    """Return faults that answer these statuses, one request each, in this order."""
    return [
        Fault(status=status, retry_after_s=retry_after_s, times=1)
        for status in statuses
    ]


class FaultBox:
    """The faults at work: deals them out, counting down; safe between threads."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults: tuple[Fault, ...] = ()
        self._dealt: list[int] = []
        self._dice: list[random.Random] = []
        self.set(faults)

    def set(self, faults: Sequence[Fault]) -> None:
        """Replace all faults; counts and dice start anew."""
        with self._lock:
            self._faults = tuple(faults)
            self._dealt = [0] * len(faults)
            self._dice = [random.Random(fault.seed) for fault in faults]

    def get(self) -> tuple[Fault, ...]:
        """Return the faults as they were set."""
        return self._faults

    def before(self, path: str) -> list[Fault]:
        """Deal the faults for a request that has just arrived.

        Returns:
            Every delay, and at most the first refusal.
        """
        with self._lock:
            dealt: list[Fault] = []
            for i, fault in enumerate(self._faults):
                refused = any(each.status for each in dealt)
                if fault.over_bytes is not None or (fault.status and refused):
                    continue
                if self._applies(i, path):
                    dealt.append(fault)
            return dealt

    def after(self, path: str, body_bytes: int) -> Fault | None:
        """Deal the first fault for an answer about to be sent."""
        with self._lock:
            for i, fault in enumerate(self._faults):
                over = fault.over_bytes
                if over is not None and body_bytes > over and self._applies(i, path):
                    return fault
        return None

    def _applies(self, i: int, path: str) -> bool:
        fault = self._faults[i]
        if fault.only_paths and not path.startswith(fault.only_paths):
            return False
        if fault.times is not None and self._dealt[i] >= fault.times:
            return False
        if fault.probability < 1 and self._dice[i].random() >= fault.probability:
            return False
        self._dealt[i] += 1
        return True
