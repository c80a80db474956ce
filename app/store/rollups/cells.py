"""The cells of one dimension, while they are computed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.store.rollups.packed import Groups, group, pack
from app.store.rollups.shapes import (
    Entries,
    Floats,
    Ints,
    added,
    pack_users,
    unite_users,
)
from app.store.rollups.tables import KEYS

_MOST = 1 << 62  # of a sum


@dataclass(slots=True)
class Cells:
    """The cells of one dimension in one hour or day, or in a piece of it.

    Attributes:
        keys: of what each is, in the order of ``KEYS``.
        sums: a number of each cell, by name.
        histograms: of each cell, by name; owners are the cells.
        users: the set of each cell; empty where none is kept.
    """

    keys: list[tuple[int, ...]]
    sums: dict[str, Ints] = field(default_factory=dict)
    histograms: dict[str, Entries] = field(default_factory=dict)
    users: list[bytes] = field(default_factory=list)

    def parts(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield (part, how many numbers, bytes) of what is not zero throughout."""
        size = len(self.keys)
        columns = np.array(self.keys, np.int64).reshape(size, len(KEYS)).T
        of_cells = dict(zip(KEYS, columns, strict=True)) | self.sums
        for name, each in self.histograms.items():
            of_cells[f"{name}/lengths"] = np.bincount(each.owners, minlength=size)
            yield f"{name}/buckets", len(each.buckets), pack(each.buckets)
            yield f"{name}/counts", len(each.counts), pack(each.counts)
        if self.users:
            of_cells["user/lengths"] = np.array(list(map(len, self.users)))
            data = b"".join(self.users)
            yield "user/sets", len(data), data
        for part, numbers in of_cells.items():
            yield part, size, pack(numbers)


def summed(groups: Groups, columns: dict[str, Ints]) -> Cells:
    """Return a cell a group, with the sum of each column."""
    size = len(groups.keys)
    return Cells(
        groups.keys,
        {name: add_up(groups.codes, column, size) for name, column in columns.items()},
    )


def add_up(codes: Ints, numbers: Ints | Floats, size: int) -> Ints:
    """Add up by group: exactly up to 2**53, and never over what can be kept."""
    found = np.bincount(codes, numbers, size)
    return found.clip(-_MOST, _MOST).astype(np.int64)


def united(pieces: Sequence[Cells]) -> Cells:
    """Add up cells that are of the same; every piece has the same figures."""
    keys = [key for piece in pieces for key in piece.keys]
    columns = np.array(keys, np.int64).reshape(len(keys), len(KEYS)).T
    groups = group(list(columns), len(keys))
    size = len(groups.keys)
    begins = np.cumsum([0, *(len(piece.keys) for piece in pieces)])
    sums = {
        name: np.concatenate([piece.sums[name] for piece in pieces])
        for name in pieces[0].sums
    }
    whole = summed(groups, sums)
    for name in pieces[0].histograms:
        each = [piece.histograms[name] for piece in pieces]
        owners = [e.owners + at for e, at in zip(each, begins[:-1], strict=True)]
        entries = Entries(
            groups.codes[np.concatenate(owners)],
            np.concatenate([e.buckets for e in each]),
            np.concatenate([e.counts for e in each]),
        )
        whole.histograms[name] = added(entries)
    if any(piece.users for piece in pieces):
        packed: list[list[bytes]] = [[] for _ in range(size)]
        sets = (users for piece in pieces for users in piece.users)
        for code, users in zip(groups.codes.tolist(), sets, strict=True):
            if users:
                packed[code].append(users)
        whole.users = [
            pack_users(unite_users(each)) if each else b"" for each in packed
        ]
    return whole
