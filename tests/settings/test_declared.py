"""Every setting is declared once, completely."""

from dataclasses import fields

import pytest

from app.configuration.kinds import KINDS
from app.configuration.shape import (
    LOKI,
    MAPPING,
    REMOTE,
    ROOT,
    SAMPLING,
    SOURCE,
    Shape,
    leaves,
    variable,
)
from app.configuration.show import show_value

SHAPES = pytest.mark.parametrize(
    "shape", [ROOT, LOKI, SOURCE, REMOTE, MAPPING, SAMPLING], ids=str
)


@SHAPES
def test_every_field_is_declared_or_nested(shape: Shape) -> None:
    """A field that cannot be configured is a mistake: use ``setting(...)``."""
    declared = {field for field, _ in shape.settings.values()}
    nested = {*shape.sections, *shape.lists}

    assert {each.name for each in fields(shape.room)} <= declared | nested


@SHAPES
def test_every_default_can_be_said(shape: Shape) -> None:
    """The text that the reference shows for a default is read as the default."""
    room = shape.room()

    for field, note in shape.settings.values():
        default = getattr(room, field)
        text = show_value(default, note)
        if text and not note.is_secret:
            said = KINDS[note.kind](text, note, type(default)())
            assert said == default, field


def test_variables_are_unique() -> None:
    """No two settings share a variable."""
    names = [variable(path) for path in leaves(ROOT)]

    assert len(set(names)) == len(names)


@SHAPES
def test_help_is_a_sentence(shape: Shape) -> None:
    """What a person reads ends in a full stop."""
    assert all(note.help.endswith(".") for _, note in shape.settings.values())
