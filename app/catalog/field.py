"""What is known of one field."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is known of a session, or of the views, actions, errors in it.

    A field of the scope ``view``, ``action`` or ``error`` selects the sessions that
    have at least one such event; grouped by it, a session counts in each group.
    """

    name: str
    label: str
    type: str  # string | number | boolean | time
    scope: str  # session | view | action | error | attribute
    help: str
    unit: str = ""  # as Grafana names it
    groups: bool = False  # may follow ``by``
    choices: tuple[str, ...] = ()  # all values, where they are known beforehand
