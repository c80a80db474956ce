"""Say which labels must not leave: who or which session it was belongs in the index."""

from app.model import Labels

# Names of fields of the catalog, as rules write them, and what else people call them.
BARRED = frozenset(
    {
        "id", "previous", "session", "session_id", "sessionid", "sid",
        "user", "user_id", "userid", "uid", "user_name", "username", "user_email",
        "email", "anonymous", "anonymous_id", "trace_id", "trace_user", "span_id", "ip",
        "client_ip",
    }
)  # fmt: skip
_SCOPES = ("session_", "user_", "event_")  # of attributes, as rules write them


def is_barred(labels: Labels) -> bool:
    """Tell whether *labels* say of which user or session they are."""
    return any(_is_barred(name.lower()) for name in labels)


def _is_barred(name: str) -> bool:
    """Judge an attribute by its own name, too: ``event_user_id``, ``user_email``."""
    scope = next((each for each in _SCOPES if name.startswith(each)), "")
    return name in BARRED or (bool(scope) and name.removeprefix(scope) in BARRED)
