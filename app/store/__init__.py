"""Keep and answer: the seam, and one engine behind it.

What is opened is imported when it is opened: an indexer needs nothing that answers.
"""

# ruff: noqa: PLC0415

from typing import TYPE_CHECKING

from app.settings import Settings

if TYPE_CHECKING:
    from app.store.feed_seam import Feed
    from app.store.privacy_seam import PrivacyBook
    from app.store.rule_seam import Rulebook
    from app.store.seam import Reader
    from app.store.writer import SqliteWriter


def open_reader(settings: Settings, *, exact: bool = False) -> "Reader":
    """Open the index for reading, for one thread at a time.

    Args:
        settings: which index, whose sessions.
        exact: look at the sessions themselves or their columns, never at rollups, for
            rules: what is recorded once must not differ from what is recorded again.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    from app.store.columns.cache import CACHE
    from app.store.weighed import WeighingReader, rates_of

    CACHE.bound(settings.column_cache_bytes)
    return WeighingReader(
        settings.index,
        settings.tenant,
        rates_of(settings),
        bounce=settings.bounce,
        timeout_s=settings.query_timeout_s,
        exact=exact,
    )


def open_exact_reader(settings: Settings) -> "Reader":
    """Open the index for reading by a rule: sessions are looked at, never rollups."""
    return open_reader(settings, exact=True)


def open_writer(settings: Settings) -> "SqliteWriter":
    """Open or create the index for writing; one at a time.

    Raises:
        StoreError: it cannot be opened, or a newer Skald wrote it.
    """
    from app.store.writer import SqliteWriter

    return SqliteWriter(settings.index, settings.tenant)


def open_rulebook(settings: Settings) -> "Rulebook":
    """Open or create the index for what rules record, with a connection of its own.

    Raises:
        StoreError: it cannot be opened, or a newer Skald wrote it.
    """
    from app.store.rulebook import open_own

    return open_own(settings.index, settings.tenant)


def open_feed(settings: Settings) -> "Feed":
    """Open or create the index for what goes to receivers, with its own connection.

    Raises:
        StoreError: it cannot be opened, or a newer Skald wrote it.
    """
    from app.store.feed import SqliteFeed

    return SqliteFeed(settings.index, settings.tenant)


def open_privacy_book(settings: Settings) -> "PrivacyBook":
    """Open the index for requests about one person's data.

    Raises:
        StoreError: there is none, it cannot be opened, or a newer Skald wrote it.
    """
    from app.store.privacy import SqlitePrivacyBook

    return SqlitePrivacyBook(settings.index, settings.tenant)
