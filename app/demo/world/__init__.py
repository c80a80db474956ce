"""A small living world of visitors, their Faro lines, and the truth about both."""

from app.demo.world.mischief import Mischief
from app.demo.world.truth import BrokenTruth, Counts, Person, SessionTruth, Vitals
from app.demo.world.world import World

__all__ = [
    "BrokenTruth",
    "Counts",
    "Mischief",
    "Person",
    "SessionTruth",
    "Vitals",
    "World",
]
