"""Run the rules: what is due, what was missed, what came late.

Everything is driven by what the index holds: the last slot of each group, the notes of
what changed after a slot. A run that dies anywhere is repeated, and comes to the same.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from app import clock
from app.ruler.alertmanager import Notifier, ends_after
from app.ruler.alerts import restore, to_send
from app.ruler.evaluate import Evaluation, Evaluator, evaluate_group
from app.ruler.expressions import IndexEvaluator
from app.ruler.model import ALERT, Group, RuleSet
from app.ruler.order import in_order, reach_of
from app.ruler.slots import due_slots, ready_until, soiled_slots
from app.settings import Settings
from app.store.rule_seam import (
    AlertState,
    Dirt,
    GroupStatus,
    Rulebook,
    RuleOutcome,
    Slot,
)
from app.store.seam import Reader

log = logging.getLogger(__name__)

Held = dict[str, list[AlertState]]  # by rule


class Ruler:
    """Evaluates the groups of a rule set, each by one thread at a time.

    Args:
        settings: patience, horizon, Alertmanagers.
        book: where results go.
        open_reader: opens the index for one evaluation.
        lease: (name, owner) that must hold for anything to be kept.
        stop: ends a run between two slots.
        make_evaluator: who answers expressions, of a reader and an interval.
    """

    def __init__(
        self,
        settings: Settings,
        book: Rulebook,
        open_reader: Callable[[Settings], Reader],
        lease: tuple[str, str] | None = None,
        stop: threading.Event | None = None,
        make_evaluator: Callable[[Reader, int], Evaluator] = IndexEvaluator,
    ) -> None:
        self._make_evaluator = make_evaluator
        self._settings = settings
        self._book = book
        self._open_reader = open_reader
        self._lease = lease
        self._stop = stop or threading.Event()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self.notifier = Notifier(
            settings.alertmanagers,
            settings.alertmanager_token,
            settings.external_url,
        )

    # -- what is due ---------------------------------------------------------------

    def run(self, group: Group, now: int) -> int:
        """Evaluate the slots of *group* that are due; return how many.

        1. See which slots are due, and which of those that were missed are made up.
        2. After slots that nobody will make up, restore the alerts.
        3. Evaluate slot by slot; each is committed before the next begins.
        4. Tell the Alertmanagers how it ended.

        Raises:
            SkaldError: what was committed before it stays.
        """
        with self._locks[group.key]:
            status = self._book.groups().get(group.key)
            last = status.slot if status else 0
            due = due_slots(
                group.interval,
                last,
                self._ready(group, now),
                self._settings.rule_catch_up,
            )
            if not due.slots:
                self._notify(group, now)
                return 0
            alerts = self._held(group)
            if due.missed:
                up_at = due.slots[0] + group.offset
                alerts = _restored(group, alerts, last + group.offset, up_at)
            done, missed = 0, due.missed
            for at in due.slots:
                if self._stop.is_set():
                    break
                slot = self.evaluate(group, at, now, alerts)
                is_made_up = at != due.slots[-1]
                slot = replace(slot, missed=missed, is_made_up=is_made_up)
                self._book.commit(slot, self._lease)
                alerts = _after(alerts, slot.outcomes)
                done, missed = done + 1, 0
            self._notify(group, now)
            return done

    def _ready(self, group: Group, now: int) -> int:
        names = {each.name for each in self._settings.sources}
        reader = self._open_reader(self._settings)
        try:
            cursors = [each.cursor for each in reader.sources() if each.name in names]
        finally:
            reader.close()
        read = [cursor // 1_000_000 for cursor in cursors if cursor]
        patience = self._settings.rule_patience_ms
        return ready_until(now, group.offset, min(read, default=None), patience)

    def evaluate(self, group: Group, at: int, now: int, alerts: Held | None) -> Slot:
        """Evaluate one slot; what is added to the index from here on leaves a note."""
        self._book.begin(group.key, at)
        began = clock.monotonic()
        reader = self._open_reader(self._settings)
        try:
            outcomes = evaluate_group(
                Evaluation(group, at, alerts, self._settings.external_url),
                self._make_evaluator(reader, group.interval),
                clock.monotonic,
            )
        finally:
            reader.close()
        for each in outcomes:
            if each.error:
                facts = {"rule": each.rule, "slot": at, "reason": each.error}
                log.warning("rule failed", extra=facts)
        took_ms = (clock.monotonic() - began) * 1000
        return Slot(group.key, at, group.interval, now, took_ms, outcomes)

    def backfill(self, group: Group, at: int) -> None:
        """Evaluate one slot of the past, and keep what it came to; alerts stay."""
        with self._locks[group.key]:
            slot = replace(self.evaluate(group, at, at, None), is_correction=True)
            self._book.commit(slot, self._lease)

    # -- alerts --------------------------------------------------------------------

    def _held(self, group: Group) -> Held:
        keys = [rule.key for rule in group.rules if rule.kind == ALERT]
        if not keys:
            return {}
        held = self._book.alerts()
        return {key: held.get(key, []) for key in keys}

    def _notify(self, group: Group, now: int) -> None:
        """Tell the Alertmanagers what they should know by now."""
        resend = self._settings.alert_resend_ms
        if not self.notifier.urls:
            return
        for rule, alerts in self._held(group).items():
            due = to_send(alerts, now, resend)
            if not due:
                continue
            if self.notifier.send(due, now, ends_after(group.interval, resend)):
                self._book.set_sent(rule, [each.labels for each in due], now)

    # -- what came late ------------------------------------------------------------

    def correct(self, rules: RuleSet, now: int) -> int:
        """Evaluate again the slots whose past has changed; return how many.

        Groups that are read come first. Alerts are left alone: nobody can be told
        earlier. The notes are forgotten when all is done, so a run that dies is
        repeated.
        """
        dirt = self._book.dirt()
        if not dirt:
            return 0
        reach = reach_of(rules.groups)
        done = 0
        for group in in_order(rules.groups):
            with self._locks[group.key]:
                status = self._book.groups().get(group.key)
                if status is None or not status.slot:
                    continue
                for at in self._soiled(group, status, dirt, reach[group.key], now):
                    if self._stop.is_set():
                        return done
                    slot = self.evaluate(group, at, now, None)
                    slot = replace(slot, is_correction=True)
                    self._book.commit(slot, self._lease)
                    done += 1
        self._book.clean(dirt)
        return done

    def _soiled(
        self,
        group: Group,
        status: GroupStatus,
        dirt: Iterable[Dirt],
        reach: int,
        now: int,
    ) -> list[int]:
        oldest = max(status.first, now - self._settings.rule_horizon_ms)
        found = {
            at
            for each in dirt
            for at in soiled_slots(
                group.interval,
                max(each.since, oldest - reach),
                each.until,
                reach,
                status.slot,
            )
            if at >= oldest
        }
        return sorted(found)


def _restored(group: Group, alerts: Held, down_at: int, up_at: int) -> Held:
    holds = {rule.key: rule.hold_ms for rule in group.rules}
    return {
        key: restore(each, holds[key], down_at, up_at) for key, each in alerts.items()
    }


def _after(alerts: Held, outcomes: Sequence[RuleOutcome]) -> Held:
    moved = {
        each.rule: list(each.alerts) for each in outcomes if each.alerts is not None
    }
    return {**alerts, **moved}
