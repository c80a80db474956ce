"""Say which labels must not leave: who or which session it was belongs in the index."""

from app.model import Labels

# Names of fields of the catalog, as rules write them, and what else people call them.
BARRED = frozenset(
    {
        "id", "previous", "session", "session_id", "sessionid", "sid",
        "user", "user_id", "userid", "uid", "user_name", "username", "user_email",
        "email", "anonymous", "anonymous_id", "trace_id", "span_id", "ip", "client_ip",
    }
)  # fmt: skip


def is_barred(labels: Labels) -> bool:
    """Tell whether *labels* say of which user or session they are."""
    return any(name.lower() in BARRED for name in labels)
