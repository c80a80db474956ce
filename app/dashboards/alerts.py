"""Write the alert rules that Grafana evaluates through Infinity.

Each asks at least two things: the figure, and whether enough sessions stand behind it. A
rate of three sessions is no reason to wake anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from app.dashboards import infinity
from app.dashboards.asks import changes, figures
from app.dashboards.boards import BOARDS
from app.dashboards.flavours import INFINITY
from app.dashboards.nouns import Ask, Json
from app.dashboards.write import write_board

_NOTICE = """\
# Written by `skald dashboards build` from app/dashboards/alerts.py; change it there, or
# copy a rule into a file of your own and change that.
#
# Every rule asks Skald through the data source `skald-infinity` and makes an alert for
# each app. Where they go is yours to say: add a contact point and a notification policy
# (see contact-points.yaml.example beside this file).
#
# Grafana puts no environment variables into queries and annotations, so `$` stands as it is.
"""
_MINUTE, _HOUR = 60, 3_600  # s
_GROUP, _FOLDER, _EVERY = "Skald sessions", "Skald", "1m"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule.

    Attributes:
        uid: of the rule.
        asks: by the letter of their query.
        reduces: letter → (letter of a query that has points in time, how to reduce it).
        when: a condition over the letters, above 0 where it holds.
        range_s: how far back the asks look.
        wait: how long the condition holds before the alert fires.
        board: with the panel that the alert is marked on.
        value: letter shown in the description.
    """

    uid: str
    title: str
    help: str
    asks: Mapping[str, Ask]
    when: str
    board: str
    panel: str
    range_s: int = _HOUR
    wait: str = "5m"
    severity: str = "warning"
    reduces: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    value: str = "A"
    shown: str = "humanizePercentage"


def _rate(metric: str) -> dict[str, Ask]:
    """Ask for a figure of each app, and for the sessions behind it."""
    return {"A": figures(metric, by="app"), "B": figures("sessions", by="app")}


RULES = (
    Rule(
        "skald-error-rate",
        "Too many sessions with errors",
        "More than one session in ten had an error in the last hour, of at least 20.",
        _rate("error_rate"),
        "$A > 0.1 && $B >= 20",
        "errors",
        "Error and crash-free rate",
    ),
    Rule(
        "skald-crash-free-rate",
        "Too many sessions crash",
        "More than one session in a hundred crashed in the last hour, of at least 50.",
        _rate("crash_free_rate"),
        "$A < 0.99 && $B >= 50",
        "errors",
        "Error and crash-free rate",
        severity="critical",
    ),
    Rule(
        "skald-no-sessions",
        "Sessions dropped to zero",
        "No session began in the last half hour, while at least 10 did in that before;"
        " resolves when that one is quiet, too.",
        {"A": changes("sessions", by="app")},
        "$B == 0 && $C >= 10",
        "sessions",
        "Sessions by status",
        range_s=30 * _MINUTE,
        severity="critical",
        reduces={"B": ("A", "last"), "C": ("A", "max")},
        value="C",
        shown="humanize",
    ),
    Rule(
        "skald-lcp",
        "Pages load slowly",
        "75th percentile of LCP above Google's bound of poor, 4 s, of at least 50 sessions.",
        _rate("lcp_p75"),
        "$A > 4000 && $B >= 50",
        "vitals",
        "LCP p75 by device",
        wait="15m",
        shown="humanize",
    ),
    Rule(
        "skald-cost",
        "Sessions cost too much",
        "A session of language models cost over 1 USD on average, of at least 10.",
        {
            "A": figures("cost_per_session", by="app", traces=">0"),
            "B": figures("sessions", by="app", traces=">0"),
        },
        "$A > 1 && $B >= 10",
        "llm",
        "Cost by model",
        wait="15m",
        shown="humanize",
    ),
)


def write_alerts() -> str:
    """Write the provisioning file."""
    group = {
        "orgId": 1,
        "name": _GROUP,
        "folder": _FOLDER,
        "interval": _EVERY,
        "rules": [write_rule(each) for each in RULES],
    }
    text = yaml.safe_dump(
        {"apiVersion": 1, "groups": [group]}, sort_keys=False, width=100
    )
    return _NOTICE + text


def write_rule(rule: Rule) -> Json:
    """Write one rule: its queries, reductions, and the condition on them."""
    queries = [_query(letter, ask, rule.range_s) for letter, ask in rule.asks.items()]
    reduced = [
        _expression(letter, {"type": "reduce", "expression": of, "reducer": how})
        for letter, (of, how) in rule.reduces.items()
    ]
    when = {"type": "math", "expression": rule.when}
    value = (
        f"{{{{ with $values.{rule.value} }}}}{{{{ {rule.shown} .Value }}}}{{{{ end }}}}"
    )
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "Z",
        "data": [*queries, *reduced, _expression("Z", when)],
        "for": rule.wait,
        "noDataState": "OK",
        "execErrState": "Error",
        "annotations": {
            "summary": f"{rule.title}: {{{{ $labels.app }}}}",
            "description": f"{rule.help} Now: {value}.",
            "__dashboardUid__": f"{INFINITY.prefix}{rule.board}",
            "__panelId__": str(_panel_id(rule)),
        },
        "labels": {"severity": rule.severity, "service": "skald"},
        "isPaused": False,
    }


def _panel_id(rule: Rule) -> int:
    """Return the id of the panel that the alert is shown on, and leads to."""
    (board,) = (each for each in BOARDS if each.name == rule.board)
    panels = write_board(board, INFINITY)["panels"]
    (found,) = (each["id"] for each in panels if each["title"] == rule.panel)
    return int(found)


def _query(letter: str, ask: Ask, range_s: int) -> Json:
    model = {"refId": letter, **infinity.target(ask)}
    return {
        "refId": letter,
        "relativeTimeRange": {"from": range_s, "to": 0},
        "datasourceUid": infinity.UID,
        "model": model | {"intervalMs": 1_000, "maxDataPoints": 43_200},
    }


def _expression(letter: str, model: Json) -> Json:
    return {
        "refId": letter,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {
            "refId": letter,
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            **model,
        },
    }
