"""Bring the index up to date: what this Skald knows of, and it lacks."""

import logging
import sqlite3
from pathlib import Path

from app.errors import StoreError, StoreNewer
from app.store.migrating import Database
from app.store.schema import migrations

log = logging.getLogger(__name__)


def check(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether the index has every table that this Skald knows.

    Raises:
        StoreNewer: it has some that this Skald does not know.
        StoreError: it is a database of something else.
    """
    db = Database(connection)
    known = {each.name for each in migrations._migrations}  # noqa: SLF001
    applied = {each.name for each in migrations.applied(db)}
    if applied - known:
        raise StoreNewer(
            f"{path} was written by a newer Skald ({', '.join(sorted(applied - known))});"
            " upgrade Skald, or point it at another index"
        )
    if not applied and set(db.table_names()) - {migrations.migrations_table}:
        raise StoreError(
            f"{path} is a database of something else and no Skald index;"
            " choose another path"
        )
    return applied == known


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the index up to date; of several at the same time, one does it.

    Raises:
        StoreNewer: a newer Skald wrote it.
    """
    if check(connection, path):
        return
    connection.execute("begin immediate")
    try:
        if not check(connection, path):
            db = Database(connection)
            if migrations.applied(db):  # of a million sessions it takes ten seconds
                log.info("upgrading the index", extra={"path": str(path)})
            migrations.apply(db)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
