"""Say what a source gives: pages of raw streams, and counts to compare them with."""

from collections.abc import Generator, Mapping
from typing import Protocol

from app.model import Page, Stream

__all__ = ["Page", "Source", "Stream", "make_page"]


class Source(Protocol):
    """Where entries come from."""

    name: str

    def pages(self, start: int, end: int) -> Generator[Page, None, None]:
        """Give pages that cover ``[start, end)`` (ns) exactly: contiguous, ascending.

        Raises:
            SourceError: the pages before it are complete; nothing was skipped.
        """
        ...

    def counts(self, start: int, end: int, step_s: int) -> dict[int, int]:
        """Count entries per bucket of *step_s* seconds.

        Returns:
            By bucket *t* (ns, a multiple of the step): the entries in ``(t - step, t]``.
            Only buckets that lie wholly inside ``(start, end]``; empty ones are left out.
        """
        ...

    def state(self) -> Mapping[str, float]:
        """Return what was learned and is worth keeping: a small dictionary."""
        ...

    def restore(self, state: Mapping[str, object]) -> None:
        """Take up what ``state`` gave in another run."""
        ...

    def close(self) -> None:
        """Let go of connections; pages under way end."""
        ...


def make_page(start: int, end: int, streams: list[Stream]) -> Page:
    """Make a page of *streams*, counting what they hold."""
    entries = size = 0
    for stream in streams:
        entries += len(stream.values)
        size += sum([len(value[1]) for value in stream.values])
    return Page(start, end, streams, entries, size)
