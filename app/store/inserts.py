"""Insert many rows a statement.

A statement costs as much to begin and to end as it does to insert three short rows.
"""

import sqlite3
from functools import cache

MANY = (64, 8, 1)  # rows of one statement; what is left over is inserted by the next
ONE = (1,)  # a row of many columns gains nothing


def insert(
    db: sqlite3.Connection,
    into: str,
    columns: int,
    values: list[object],
    sizes: tuple[int, ...] = MANY,
) -> None:
    """Insert rows.

    Args:
        db: in a transaction.
        into: how the statement begins, such as "insert into views".
        columns: of a row.
        values: of one row after the other.
        sizes: rows of one statement, descending; the last is 1.
    """
    at = 0
    for rows in sizes:
        step = rows * columns
        end = at + (len(values) - at) // step * step
        if end > at:
            some = [values[each : each + step] for each in range(at, end, step)]
            db.executemany(_statement(into, columns, rows), some)
        at = end


@cache
def _statement(into: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} values {', '.join([row] * rows)}"
