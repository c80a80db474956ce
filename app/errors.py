"""Everything that can go wrong on purpose: one tree, raised with facts and a remedy."""


class SkaldError(Exception):
    """A problem with a cause that a person can act on; ``str()`` is fit to be shown."""

    status = 500  # what HTTP answers when a request caused it
    code = "internal"


class BadRequest(SkaldError):
    """A request says something that cannot be meant."""

    status = 400
    code = "bad_request"


class UnknownName(BadRequest):
    """A name that the catalog does not have."""

    code = "unknown_name"


class NotFound(SkaldError):
    """The thing asked for is not in the index."""

    status = 404
    code = "not_found"


class Conflict(SkaldError):
    """What is asked for cannot be done now, in the state that things are in."""

    status = 409
    code = "conflict"


class TooExpensive(SkaldError):
    """A query went over a bound: time, rows or series."""

    status = 422
    code = "too_expensive"


class SettingsError(SkaldError):
    """The configuration cannot be used; lists every problem, with place and remedy."""

    code = "settings"


class SourceError(SkaldError):
    """A source could not be read."""

    status = 502
    code = "source"


class SourceUnavailable(SourceError):
    """A source does not answer now; the same request may work later."""

    status = 503
    code = "source_unavailable"


class SourceRefused(SourceError):
    """A source refused a request for a reason that asking again will not change."""

    code = "source_refused"


class TooDense(SourceError):
    """More entries share one nanosecond than can be told apart by any query."""

    code = "too_dense"


class StoreError(SkaldError):
    """The index cannot be used."""

    status = 503
    code = "store"


class StoreFull(StoreError):
    """There is no room left for the index."""

    code = "store_full"


class StoreBusy(StoreError):
    """Somebody else holds the index for longer than we wait."""

    code = "store_busy"


class StoreNewer(StoreError):
    """The index was written by a newer Skald."""

    code = "store_newer"


class LeaseLost(StoreError):
    """Another scheduler has taken over the jobs."""

    code = "lease_lost"
