"""Read some rows of several columns of sessions at once."""

from collections.abc import Iterable

import orjson

from app.store.columns.chunks import Array, Numbers
from app.store.columns.packing import unpack
from app.store.columns.parts import NotInColumns, Part

_FEW = 0.25  # of the sessions, that are quicker put together by themselves


def pick(part: Part, names: Iterable[str], rows: Array) -> dict[str, Numbers]:
    """Return some rows of columns; of few, no others are put together, nor kept.

    Args:
        part: of sessions.
        names: of columns.
        rows: places of sessions in it, ascending.

    Raises:
        NotInColumns: one is not held, or is none of numbers.
    """
    wanted = set(names)
    if not part.group or len(rows) > _FEW * len(part):
        return {name: part.numbers(name).cut(rows) for name in wanted}
    found = part.db.execute(
        "select name, data from column_chunks where row_group = ?"
        " and name in (select 'sessions.' || value from json_each(?))",
        (part.group, orjson.dumps(sorted(wanted)).decode()),
    )
    picked = {}
    for name, data in found:
        column = unpack(data, rows + part.rows.start if part.rows.start else rows)
        if isinstance(column, Numbers):
            picked[name.removeprefix("sessions.")] = column
    if missing := wanted - picked.keys():
        raise NotInColumns(min(missing))
    return picked
