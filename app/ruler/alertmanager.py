"""Tell Alertmanagers of alerts: POST /api/v2/alerts, as its OpenAPI describes it."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import requests

from app.model import Labels
from app.store.rule_seam import INACTIVE, AlertState

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
BATCH = 64  # alerts in one request, as Prometheus
_FORGETS = 4  # intervals or resend delays after which the Alertmanager gives up on one


@dataclass(slots=True)
class Notifier:
    """Sends alerts to every Alertmanager.

    Attributes:
        urls: their base addresses; none = alerts are only shown.
        token: bearer token, or "".
        source: address of Skald for people, or "".
    """

    urls: Sequence[str]
    token: str = ""
    source: str = ""
    sent: dict[str, int] = field(default_factory=dict)  # url → alerts
    failed: dict[str, int] = field(default_factory=dict)

    def send(self, alerts: Sequence[AlertState], at: int, ends_in: int) -> bool:
        """Tell all of *alerts*; return whether at least one Alertmanager took them.

        Args:
            alerts: firing or resolved ones.
            at: now, ms.
            ends_in: ms after which a firing alert ends if it is not told again.
        """
        bodies = [
            orjson.dumps([wire(each, at + ends_in, self.source) for each in batch])
            for batch in batches(alerts)
        ]
        # Every one of them is told: they know of each other, but do not share alerts.
        taken = [self._send_to(url, bodies, len(alerts)) for url in self.urls]
        return any(taken)

    def _send_to(self, url: str, bodies: Sequence[bytes], count: int) -> bool:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            for body in bodies:
                answer = requests.post(
                    f"{url}/api/v2/alerts", body, headers=headers, timeout=TIMEOUT_S
                )
                answer.raise_for_status()
        except requests.RequestException as error:
            self.failed[url] = self.failed.get(url, 0) + count
            log.warning(
                "alerts not sent", extra={"alertmanager": url, "reason": str(error)}
            )
            return False
        self.sent[url] = self.sent.get(url, 0) + count
        return True


def ends_after(interval: int, resend: int) -> int:
    """Return how long (ms) a firing alert lasts that is not told again."""
    return _FORGETS * max(interval, resend)


def batches(alerts: Sequence[AlertState]) -> Iterable[Sequence[AlertState]]:
    """Divide *alerts* into requests."""
    return (alerts[at : at + BATCH] for at in range(0, len(alerts), BATCH))


def wire(alert: AlertState, ends_at: int, source: str) -> dict[str, Any]:
    """Return an alert as the Alertmanager takes it."""
    ends = alert.resolved_at if alert.state == INACTIVE else ends_at
    sent: dict[str, Any] = {
        "labels": _named(alert.labels),
        "annotations": _named(alert.annotations),
        "startsAt": rfc3339(alert.fired_at),
        "endsAt": rfc3339(ends),
    }
    return sent | ({"generatorURL": source} if source else {})


def _named(labels: Labels) -> Labels:
    return {name: text for name, text in labels.items() if text}


def rfc3339(at: int) -> str:
    """Write an instant as Go does."""
    when = datetime.fromtimestamp(at / 1000, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"
