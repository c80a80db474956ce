"""Find when alerts of rules fired, to mark it in charts."""

from app.api.steps import nice_step
from app.model import Labels
from app.sessionql.plan import And, Compare, Filter, Recorded, Window
from app.store.seam import Reader

Row = dict[str, object]

_POINTS = 500  # of the range: an alert that fired for less than one is seen as one
_MINUTE = 60_000
_FIRING = Recorded("ALERTS", (Compare("alertstate", "=", ("firing",)),))
_UNTOLD = frozenset({"alertname", "alertstate"})


def alert_rows(index: Reader, window: Window, selector: Filter) -> list[Row]:
    """List the times for which alerts fired, as annotations: a span each.

    A filter on a label that an alert has leaves out alerts of other values; filters on
    anything else say nothing of alerts.
    """
    step = nice_step(window.end - window.start, _POINTS, _MINUTE)
    asked = Window(window.start, window.end, step, window.now)
    fired: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for labels, begin, value in index.recorded(_FIRING, asked):
        if value and agrees(selector, labels):
            # A bucket of what was recorded ends with the slot that it is named by.
            slot = begin + step
            fired.setdefault(tuple(sorted(labels.items())), []).append(slot)
    return [
        _row(dict(labels), start, min(end, window.end))
        for labels, slots in fired.items()
        for start, end in _spans(sorted(slots), step)
    ]


def agrees(selector: Filter, labels: Labels) -> bool:
    """Say whether no comparison that has to hold excludes *labels*."""
    if isinstance(selector, And):
        return all(agrees(each, labels) for each in selector.parts)
    if isinstance(selector, Compare) and selector.field in labels:
        is_named = labels[selector.field] in selector.values
        return {"=": is_named, "!=": not is_named}.get(selector.op, True)
    return True


def _spans(slots: list[int], step: int) -> list[tuple[int, int]]:
    """Join slots that follow each other."""
    spans: list[tuple[int, int]] = []
    for slot in slots:
        if spans and spans[-1][1] == slot:
            spans[-1] = (spans[-1][0], slot + step)
        else:
            spans.append((slot, slot + step))
    return spans


def _row(labels: Labels, start: int, end: int) -> Row:
    name = labels.get("alertname", "")
    told = [f"{key}={labels[key]}" for key in sorted(labels) if key not in _UNTOLD]
    return {
        "time": start,
        "timeEnd": end,
        "title": name,
        "text": ", ".join(told) or name,
        "tags": ",".join(["alert", *filter(None, [labels.get("app")])]),
        "id": f"{name}/{'/'.join(told)}/{start}",
    }
