"""kill -9 in the middle of evaluations: no sample is lost, none is there twice."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.ruler.killing import told

KILLS = int(os.environ.get("KILLS", "15"))


@pytest.mark.slow
def test_killed_rulers_come_to_the_same(tmp_path: Path) -> None:
    """However often rulers die, series, alerts and counts are as if none had."""
    command = [
        sys.executable,
        "-m",
        "tests.ruler.killing",
        str(tmp_path),
        str(KILLS),
        "7",
    ]
    done = subprocess.run(command, capture_output=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    said = orjson.loads(done.stdout)

    expected = told(tmp_path / "whole.db")
    results = [told(Path(path)) for path in said["files"]]

    assert said["died"] == KILLS
    assert len(expected["samples"]) > 200
    assert expected["groups"] == {"rules.yml;first": 40, "rules.yml;second": 21}
    assert all(result == expected for result in results)
