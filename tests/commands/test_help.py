"""`skald --help` tells in one whole sentence what each command is for."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from app.cli import main


def groups(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command that has commands below it."""
    if isinstance(command, click.Group):
        yield path
        context = click.Context(command)
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            assert each is not None
            yield from groups(each, *path, name)


@pytest.mark.parametrize("path", list(groups(main)), ids=" ".join)
def test_no_sentence_is_cut(path: tuple[str, ...]) -> None:
    """What does not fit into a line is cut, and then it tells nothing."""
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).output

    told = shown.partition("Commands:\n")[2]
    assert told
    assert [line for line in told.splitlines() if line.endswith("...")] == []
