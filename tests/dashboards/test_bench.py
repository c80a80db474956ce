"""What `make bench ARGS=dashboards` times is what a board asks when it is opened."""

from pathlib import Path

import pytest

from bench.dashboards import measure
from tests.dashboards.boards import board, files, marks, panels, variables


@pytest.mark.parametrize("flavour", ["infinity", "json"])
def test_every_request_of_a_board_is_timed(full_index: Path, flavour: str) -> None:
    """Panels, variables and annotations, in two ranges, "All" and chosen values."""
    (path,) = (each for each in files(flavour) if each.stem == "errors")
    wanted = {each["title"] for each in panels(board(path))}
    wanted |= {each["name"] for each in marks(board(path))}
    wanted |= {f"${each['name']}" for each in variables(board(path))}

    (timed,) = measure(full_index, only=f"{flavour}/errors", days=6)

    assert {each.asker for each in timed} == wanted
    assert {each.range for each in timed} == {"24h", "6d"}
    assert {each.filled for each in timed} == {"all", "one app", "one of each"}
    assert all(each.first_ms > 0 and each.bytes > 0 for each in timed)
