"""What migrations need of sqlite-utils, and not what it would import besides.

It imports numpy where there is one, and has no use for it here: 14 MB of an indexer.
"""

import sys

_is_hidden = "numpy" not in sys.modules
if _is_hidden:
    sys.modules["numpy"] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database, Migrations
finally:
    if _is_hidden:
        del sys.modules["numpy"]

__all__ = ["Database", "Migrations"]
