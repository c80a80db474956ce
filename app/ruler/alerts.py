"""Move alerts through their states, as Prometheus does (rules/alerting.go).

inactive → pending → firing → resolved; ``for`` holds an alert back, ``keep_firing_for``
holds it on. What is resolved is kept a while, so that the Alertmanager hears of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.errors import SkaldError
from app.model import Labels
from app.ruler.model import Rule, Value
from app.ruler.templates import Known, expand
from app.store.rule_seam import FIRING, INACTIVE, PENDING, AlertState

RESOLVED_KEPT = 900_000  # ms that a resolved alert is told again
OUTAGE_TOLERANCE = 3_600_000  # ms of silence after which pending alerts begin anew
GRACE = 600_000  # ms that ``for`` waits at least after a silence
NAME = "alertname"
Key = tuple[tuple[str, str], ...]


class RuleFailed(SkaldError):
    """An evaluation came to what the rule must not come to."""

    status = 422
    code = "rule_failed"


def key_of(labels: Labels) -> Key:
    """Return what makes a label set itself."""
    return tuple(sorted(labels.items()))


def advance(
    rule: Rule,
    held: Iterable[AlertState],
    values: Sequence[Value],
    at: int,
    *,
    limit: int = 0,
    url: str = "",
) -> list[AlertState]:
    """Return the alerts of *rule* after an evaluation.

    Args:
        rule: an alerting rule.
        held: its alerts until now.
        values: what its expression came to.
        at: time of the evaluation, ms.
        limit: most alerts that may be active; 0 = any number.
        url: of Skald, for templates.

    Raises:
        RuleFailed: two results have the same labels, or there are too many.
    """
    found = _expanded(rule, values, at, url)
    known = {key_of(each.labels): each for each in held}
    after: list[AlertState] = []
    for key, fresh in found.items():
        old = known.get(key)
        if old and old.state != INACTIVE:
            fresh = replace(  # noqa: PLW2901  # what was, with what is new
                old, value=fresh.value, annotations=fresh.annotations, keep_since=0
            )
        after.append(_settle(fresh, rule.hold_ms, at))
    gone = [each for key, each in known.items() if key not in found]
    after += [left for each in gone if (left := _let_go(each, rule, at))]
    active = sum(each.state != INACTIVE for each in after)
    if limit and active > limit:
        raise RuleFailed(f"exceeded limit of {limit} with {active} alerts")
    return sorted(after, key=lambda each: key_of(each.labels))


def _expanded(
    rule: Rule, values: Sequence[Value], at: int, url: str
) -> dict[Key, AlertState]:
    found: dict[Key, AlertState] = {}
    for each in values:
        known = Known(each.labels, each.value, url)
        own = {name: expand(text, known) for name, text in rule.labels.items()}
        labels = {**each.labels, **own, NAME: rule.name}
        labels = {name: text for name, text in labels.items() if text}
        key = key_of(labels)
        if key in found:
            raise RuleFailed(
                "two results have the same labels after the rule's own are added;"
                " keep a label that tells them apart"
            )
        annotations = {
            name: expand(text, known) for name, text in rule.annotations.items()
        }
        found[key] = AlertState(labels, annotations, PENDING, each.value, at)
    return found


def _settle(alert: AlertState, hold: int, at: int) -> AlertState:
    """Fire what was pending long enough; what fires under a longer ``for`` waits."""
    has_held = at - alert.active_at >= hold
    if alert.state == PENDING and has_held:
        return replace(alert, state=FIRING, fired_at=at)
    if alert.state == FIRING and not has_held:
        return replace(alert, state=PENDING, fired_at=0, sent_at=0, keep_since=0)
    return alert


def _let_go(alert: AlertState, rule: Rule, at: int) -> AlertState | None:
    """Return an alert whose condition does not hold; None when it is forgotten."""
    if alert.state == PENDING:
        return None
    if alert.state == INACTIVE:
        return alert if at - alert.resolved_at <= RESOLVED_KEPT else None
    if rule.keep_ms:
        since = alert.keep_since or at
        if at - since < rule.keep_ms:
            return _settle(replace(alert, keep_since=since), rule.hold_ms, at)
    return replace(alert, state=INACTIVE, resolved_at=at)


def restore(
    alerts: Sequence[AlertState], hold: int, down_at: int, up_at: int
) -> list[AlertState]:
    """Return what holds of *alerts* after nothing was evaluated for a while.

    The time of silence does not count as time in which the condition held.

    Args:
        alerts: of one rule.
        hold: its ``for``, ms.
        down_at: last evaluation before the silence, ms.
        up_at: first evaluation after it.

    Source: Prometheus (rules/group.go, RestoreForState): after more than an hour,
    pending alerts begin anew; otherwise the rest of ``for`` is still to be waited for,
    but at least ten minutes, unless the alert fired already.
    """
    silence = up_at - down_at
    if silence > OUTAGE_TOLERANCE:
        return [each for each in alerts if each.state != PENDING]
    restored = []
    for alert in alerts:
        left = hold - (down_at - alert.active_at)
        if alert.state != PENDING or hold < GRACE or left <= 0:
            restored.append(alert)
        elif left < GRACE:
            restored.append(replace(alert, active_at=up_at - hold + GRACE))
        else:
            restored.append(replace(alert, active_at=alert.active_at + silence))
    return restored


def samples_of(
    rule: Rule, alerts: Iterable[AlertState]
) -> list[tuple[str, Labels, float]]:
    """Return ``ALERTS`` and ``ALERTS_FOR_STATE``, as Prometheus records them."""
    found: list[tuple[str, Labels, float]] = []
    for alert in alerts:
        if alert.state == INACTIVE:
            continue
        labels = {**alert.labels, NAME: rule.name}
        found += [
            ("ALERTS", {**labels, "alertstate": alert.state}, 1.0),
            ("ALERTS_FOR_STATE", labels, float(alert.active_at // 1000)),
        ]
    return found


def to_send(alerts: Iterable[AlertState], at: int, resend: int) -> list[AlertState]:
    """Return the alerts that the Alertmanager should hear of now.

    Firing ones, again after *resend* ms; resolved ones until they are forgotten; a
    resolution at once.
    """
    return [
        each
        for each in alerts
        if each.state != PENDING
        and (each.resolved_at > each.sent_at or each.sent_at + resend <= at)
    ]
