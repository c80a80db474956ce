"""What a service does before anybody asks."""

import subprocess
import sys
from pathlib import Path

from tests.build import page_load
from tests.driver import Index

_ASK = """
import sys
from pathlib import Path
from app import create_app
from app.settings import Settings

client = create_app(Settings(index=Path(sys.argv[1]))).test_client()
before = set(sys.modules)
for metric in ("sessions", "duration_p95", "returning_users"):
    asked = {"metric": metric, "from": "2025-11-20T00:00:00Z", "to": "2025-11-21T00:00:00Z"}
    assert client.get("/api/v1/query", query_string=asked).status_code == 200
late = {name for name in set(sys.modules) - before if name.partition(".")[0] in {"app", "numpy"}}
print(*sorted(late))
"""


def test_first_question_waits_for_no_import(tmp_path: Path) -> None:
    """What answers figures is there when the service is."""
    index = Index(tmp_path / "skald.db")
    index.ingest([*page_load("s1", "10:00:00", "/", user_id="u1")])
    index.close()

    run = [sys.executable, "-c", _ASK, str(tmp_path / "skald.db")]
    assert (
        subprocess.run(run, capture_output=True, text=True, check=True).stdout == "\n"
    )
