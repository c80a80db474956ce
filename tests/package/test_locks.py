"""The lock files hold what pyproject.toml asks for."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pins(name: str) -> dict[str, str]:
    """Read the lock file *name*: package → version."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    found = (line.split(";")[0].rstrip(" \\") for line in lines if "==" in line)
    return dict(line.split("==") for line in found if not line.startswith((" ", "#")))


def unmet(asked: list[str], locked: dict[str, str]) -> list[str]:
    """List the requirements of *asked* that *locked* does not meet."""
    return [
        text
        for text in asked
        if (need := Requirement(text))
        and locked.get(canonicalize_name(need.name), "") not in need.specifier
    ]


def test_locks_hold_what_is_asked() -> None:
    """After a change of dependencies, run ``make lock`` and commit its files."""
    groups = PROJECT["dependency-groups"]
    runs = PROJECT["project"]["dependencies"] + groups["build"]
    develops = [each for each in groups["dev"] if isinstance(each, str)]

    assert unmet(runs, pins("requirements.txt")) == []
    assert unmet(develops, pins("requirements-dev.txt")) == []


def test_locks_agree() -> None:
    """What is developed with is what it runs on, and every pin has its hash."""
    runs, develops = pins("requirements.txt"), pins("requirements-dev.txt")

    both = runs.keys() & develops.keys()
    assert {name: runs[name] for name in both} == {
        name: develops[name] for name in both
    }
    text = (ROOT / "requirements-dev.txt").read_text("utf-8")
    assert text.count("==") <= text.count("--hash=sha256:")
