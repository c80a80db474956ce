"""The house keeps its habits: small files, small functions, everything documented."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "app").rglob("*.py"))
MAX_FILE = 350  # lines
MAX_FUNCTION = 40  # lines, docstring apart

PER_FILE = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(ROOT))
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@PER_FILE
def test_file_is_short(path: Path) -> None:
    """A file that outgrows 350 lines holds a second noun: give it its own."""
    lines = path.read_text("utf-8").count("\n")

    assert lines <= MAX_FILE


@PER_FILE
def test_functions_are_short(path: Path) -> None:
    """A function that outgrows 40 lines does two things: name both."""
    tree = ast.parse(path.read_text("utf-8"))
    long = {
        each.name: size
        for each in functions(tree)
        if (size := length(each)) > MAX_FUNCTION
    }

    assert not long


@PER_FILE
def test_module_says_what_it_is_for(path: Path) -> None:
    """A module opens with a sentence."""
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def functions(tree: ast.AST) -> Iterator[Function]:
    """List every function and method in *tree*."""
    return (each for each in ast.walk(tree) if isinstance(each, Function))


def length(function: Function) -> int:
    """Count the lines of *function* that are not its docstring."""
    whole = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return whole
    doc = function.body[0]
    return whole - ((doc.end_lineno or 0) - doc.lineno + 1)
