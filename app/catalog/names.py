"""Look names up, and say which one was meant when there is none."""

from collections.abc import Iterable
from difflib import get_close_matches

from app.catalog.fields import FIELDS, Field, find
from app.catalog.metrics import METRICS, Metric
from app.errors import UnknownName


def field(name: str) -> Field:
    """Return the field of that name.

    Raises:
        UnknownName: there is none; says which is nearest.
    """
    found = find(name)
    if found is None:
        raise UnknownName(f"no field {name[:60]!r}{nearest(name, FIELDS)}")
    return found


def dimension(name: str) -> Field:
    """Return the field of that name, which can be grouped by.

    Raises:
        UnknownName: there is none, or it is a number.
    """
    found = field(name)
    if not found.groups and found.scope != "attribute":
        groups = [key for key, each in FIELDS.items() if each.groups]
        raise UnknownName(f"cannot group by {name!r}{nearest(name, groups)}")
    return found


def metric(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        UnknownName: there is none; says which is nearest.
    """
    found = METRICS.get(name)
    if found is None:
        field = FIELDS.get(name)
        if field and field.type == "number" and field.scope == "session":
            hint = f"; it is a field: ask q={{ }} | sum_over_time({name})"
        else:
            hint = nearest(name, METRICS)
        raise UnknownName(f"no metric {name[:60]!r}{hint}")
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of *known* was meant, or what there is."""
    names = list(known)
    close = get_close_matches(name[:60], names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
