"""Ask a plan about the label sets that are shown, and not about all there are."""

from collections.abc import Collection

from app.catalog.fields import find, kinds_of
from app.sessionql.filters import Compare, Filter, Sequence, event_kind, walk
from app.sessionql.plan import (
    Arithmetic,
    Leaf,
    Matching,
    Number,
    Plan,
    bind,
    leaves,
)


def narrow(plan: Plan, name: str, values: Collection[str]) -> Plan | None:
    """Return a plan that has the same figures of these values of a label, and no others.

    Args:
        plan: split by one label.
        name: which.
        values: that are wanted.

    Returns:
        None when that cannot be said by a filter.
    """
    if "" in values or not (
        _is_plain(plan) and all(_may(e, name) for e in leaves(plan))
    ):
        return None
    return bind(plan, Compare(name, "=", tuple(values)))


def _is_plain(plan: Plan) -> bool:
    """Tell whether the figure of a label set depends on no other label set."""
    if isinstance(plan, Arithmetic):
        is_one_to_one = plan.matching == Matching()
        return is_one_to_one and _is_plain(plan.left) and _is_plain(plan.right)
    return isinstance(plan, (Leaf, Number))


def _may(leaf: Leaf, name: str) -> bool:
    """Tell whether a comparison of the label chooses the rows with its values alone.

    A session has one value of its own fields; of fields of events it is chosen by one
    event and counted by another, unless the leaf looks at the same events.
    """
    field = find(name)
    if leaf.by != (name,) or field is None:
        return False
    if not kinds_of(field):
        return True
    return leaf.kind == event_kind(name) and not any(
        map(_is_of_events, walk(leaf.selector))
    )


def _is_of_events(part: Filter) -> bool:
    field = find(part.field) if isinstance(part, Compare) else None
    return isinstance(part, Sequence) or bool(field and kinds_of(field))
