"""Write every generated file of ``grafana/``, or say which are not what they should be."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from app.dashboards.alerts import write_alerts
from app.dashboards.boards import BOARDS
from app.dashboards.flavours import FLAVOURS
from app.dashboards.write import write_board

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def generate() -> dict[str, str]:
    """Write everything: path below ``grafana/`` → text."""
    files = {
        f"dashboards/{flavour.name}/{board.name}.json": orjson.dumps(
            write_board(board, flavour), option=_PRETTY
        ).decode()
        for flavour in FLAVOURS
        for board in BOARDS
    }
    files["provisioning/alerting/skald.yaml"] = write_alerts()
    return files


def stale(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """List the files that differ from what would be written, and those no board has."""
    found = [
        path
        for name, text in files.items()
        if not (path := directory / name).exists() or path.read_text("utf-8") != text
    ]
    left = sorted(directory.glob("dashboards/*/*.json"))
    return found + [
        each for each in left if str(each.relative_to(directory)) not in files
    ]


def save(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Bring *directory* up to date; return what changed."""
    changed = stale(directory, files)
    for path in changed:
        text = files.get(str(path.relative_to(directory)))
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return changed
