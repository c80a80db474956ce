"""What is compiled is what the sources say, and is said to be."""

import shutil
from importlib import import_module
from pathlib import Path

import pytest

from app import compiled

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", compiled.HOT)
def test_all_or_none_is_compiled(name: str) -> None:
    """A module runs as C exactly if ``skald --version`` says so."""
    module = import_module(name.removesuffix(".py").replace("/", "."))

    assert Path(module.__file__ or "").parent == (ROOT / name).parent
    assert (not str(module.__file__).endswith(".py")) == compiled.is_compiled()


def checkout(place: Path) -> Path:
    """Copy the hot sources to a place of their own."""
    for name in (*compiled.HOT, *compiled.NATIVE):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name)
    return place


def pretend(root: Path) -> None:
    """Leave what compiling leaves."""
    suffix = compiled.EXTENSION_SUFFIXES[0]
    (root / compiled.HOT[0]).with_suffix(suffix).touch()
    (root / compiled.STAMP).write_text(compiled.digest(root), "utf-8")


@pytest.mark.parametrize("name", [compiled.HOT[-1], *compiled.NATIVE])
def test_edited_source_makes_what_was_compiled_stale(name: str, tmp_path: Path) -> None:
    """The stamp names the sources: any other is refused, and so is a missing module."""
    root = checkout(tmp_path)
    pretend(root)
    assert not compiled.is_stale(root)

    edited = root / name
    edited.write_text(edited.read_text("utf-8") + "\n# edited\n", "utf-8")

    assert compiled.is_stale(root)


def test_manner_is_told(tmp_path: Path) -> None:
    """Where a library lies beside the sources, they run as C."""
    root = checkout(tmp_path)
    assert compiled.manner(root) == "pure Python"

    pretend(root)

    assert compiled.manner(root) == "compiled"


def test_installed_package_is_never_stale(tmp_path: Path) -> None:
    """A wheel has libraries and no stamp."""
    root = checkout(tmp_path)
    pretend(root)
    (root / compiled.STAMP).unlink()

    assert compiled.is_compiled(root)
    assert not compiled.is_stale(root)
