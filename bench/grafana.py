"""Ask as Grafana and its two plugins do: variables and macros filled in, in its formats."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Json = dict[str, Any]
Values = Mapping[str, Sequence[str]]

ALL = "__all"
WIDTH = 800  # points of a panel that does not say
_MACRO = re.compile(r"\$\{(\w+)(?::([\w:]+))?\}|\$(\w+)")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_KEPT = "-._~!'()*"  # what encodeURIComponent leaves as it is

# Grafana rounds the time between two points: (below so many ms, it is that many)
_ROUNDED = (
    (45_000, 30_000),
    (90_000, 60_000),
    (210_000, 120_000),
    (450_000, 300_000),
    (750_000, 600_000),
    (1_050_000, 900_000),
    (1_500_000, 1_200_000),
    (2_700_000, 1_800_000),
    (5_400_000, 3_600_000),
    (9_000_000, 7_200_000),
    (16_200_000, 10_800_000),
    (32_400_000, 21_600_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
)
_WRITTEN = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


@dataclass(frozen=True, slots=True)
class Filled:
    """What the variables and the range of a board hold.

    Attributes:
        start: of the range, UTC epoch ms; ``end`` as well.
        values: of each variable; one that is "All" holds just ``__all``.
        format: of macros that ask for JSON, as filters do; "" = JSON.
        interval: between two points, ms.
        points: at most, of a chart.
        is_alert: nothing but the time is filled in, as in alert rules.
    """

    start: int
    end: int
    values: Values = field(default_factory=dict)
    format: str = ""
    interval: int = 1_800_000
    points: int = WIDTH
    is_alert: bool = False

    def write(self, text: str, default: str = "glob") -> str:
        """Fill in the macros of a text."""

        def one(found: re.Match[str]) -> str:
            name, wanted = found[1] or found[3], found[2] or default
            known = self._built_in(name)
            if known is not None:
                return known
            if name not in self.values or self.is_alert:
                return found[0]
            wanted = self.format if self.format and wanted == "json" else wanted
            return write_values(self.values[name], wanted, name)

        return _MACRO.sub(one, text)

    def _built_in(self, name: str) -> str | None:
        times = {"__timeFrom": self.start, "__timeTo": self.end}
        if name in times:
            return str(times[name])
        if self.is_alert:
            return None
        known = {"__from": self.start, "__to": self.end, "__interval_ms": self.interval}
        if name == "__interval":
            return write_interval(self.interval)
        return str(known[name]) if name in known else None


def of_panel(filled: Filled, panel: Json) -> Filled:
    """Fill in the interval of a panel: its range in as many points as it wants, rounded."""
    points = panel.get("maxDataPoints") or WIDTH
    wanted = (filled.end - filled.start) / points
    length = next((each for below, each in _ROUNDED if wanted < below), 604_800_000)
    least = {"1m": 60_000, "": 1_000}[panel.get("interval", "")]
    return replace(filled, interval=max(least, length), points=points)


def write_interval(length: int) -> str:
    """Write an interval as Grafana does: ``30m``."""
    unit, size = next(each for each in _WRITTEN if length % each[1] == 0)
    return f"{length // size}{unit}"


# -- the formats of variables ------------------------------------------------------


def write_values(values: Sequence[str], wanted: str, name: str = "") -> str:
    """Write the values of the variable *name* in one of Grafana's formats."""
    if list(values) == [ALL]:  # a custom "All" is written as it stands, save in two
        return {"text": "All", "queryparam": f"var-{name}=$__all"}.get(wanted, ALL)
    return FORMATS[wanted](list(values), name)


def _glob(values: Sequence[str], _name: str = "") -> str:
    return f"{{{','.join(values)}}}" if len(values) > 1 else values[0]


def _regex(values: Sequence[str], _name: str) -> str:
    escaped = [_SPECIAL.sub(r"\\\g<0>", each) for each in values]
    return f"({'|'.join(escaped)})" if len(values) > 1 else escaped[0]


def _quoted(mark: str, escaped: str) -> Any:
    return lambda values, _name: ",".join(
        f"{mark}{each.replace(mark, escaped)}{mark}" for each in values
    )


def _distributed(values: Sequence[str], name: str) -> str:
    return ",".join(v if not i else f"{name}={v}" for i, v in enumerate(values))


FORMATS: dict[str, Any] = {
    "glob": _glob,
    "raw": lambda values, _name: ",".join(values),
    "csv": lambda values, _name: ",".join(values),
    "text": lambda values, _name: " + ".join(values),
    "pipe": lambda values, _name: "|".join(values),
    "regex": _regex,
    "json": lambda values, _name: json.dumps(values) if values[1:] else values[0],
    "json of several": lambda values, _name: json.dumps(values),  # even when it is one
    "doublequote": _quoted('"', '\\"'),
    "singlequote": _quoted("'", "\\'"),
    "sqlstring": _quoted("'", "''"),
    "distributed": _distributed,
    "queryparam": lambda values, name: "&".join(
        f"var-{name}={quote(each, safe=_KEPT)}" for each in values
    ),
    "percentencode": lambda values, _name: quote(_glob(values), safe="-._~"),
    "uriencode": lambda values, _name: quote(_glob(values), safe=_KEPT + ";,/?:@&=+$#"),
}


# -- requests ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What reaches Skald."""

    path: str
    body: str = ""  # JSON; "" = it is a GET

    def send(self, client: FlaskClient) -> TestResponse:
        """Send it."""
        if not self.body:
            return client.get(self.path)
        return client.post(self.path, data=self.body, content_type="application/json")


def infinity_request(target: Json, filled: Filled) -> Request:
    """Return the request of a target; a parameter that is repeated is sent once."""
    options = target["url_options"]
    if (target["parser"], options["method"]) != ("backend", "GET"):
        raise ValueError("only the backend's parser can alert, and it gets")
    given = {each["key"]: filled.write(each["value"]) for each in options["params"]}
    url = filled.write(target["url"], "percentencode")
    glue = "&" if "?" in url else "?"
    return Request(f"{url}{glue}{urlencode(sorted(given.items()))}")


def json_request(targets: Sequence[Json], filled: Filled) -> Request:
    """Return the one request of a panel."""
    written = [
        {
            **target,
            "target": filled.write(target["target"], "regex"),
            "payload": _builder(target["payload"], filled),
        }
        for target in targets
    ]
    body = {
        "app": "dashboard",
        "requestId": "SQR100",
        "timezone": "browser",
        "range": write_range(filled),
        "interval": write_interval(filled.interval),
        "intervalMs": filled.interval,
        "targets": written,
        "maxDataPoints": filled.points,
        "scopedVars": _scoped(filled),
        "filters": [],
    }
    return Request("/json/query", json.dumps(body))


def json_variable(query: Json, filled: Filled) -> Request:
    """Return the request for the values of a variable."""
    payload = {"target": query["query"]}
    if query["format"] == "json":
        payload = json.loads(filled.write(query["query"], "json"))
    body = {"payload": payload, "range": write_range(filled)}
    return Request("/json/variable", json.dumps(body))


def write_range(filled: Filled) -> Json:
    """Write a range as Grafana sends it."""
    ends = {"from": filled.start, "to": filled.end}
    written: Json = {
        name: datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{at % 1000:03}Z"
        for name, at in ends.items()
    }
    return written | {"raw": {"from": "now-6d", "to": "now"}}


def _builder(payload: Any, filled: Filled) -> Any:
    if isinstance(payload, dict):
        return {key: _builder(each, filled) for key, each in payload.items()}
    if isinstance(payload, list):
        return [_builder(each, filled) for each in payload]
    return filled.write(str(payload), "regex")


def _scoped(filled: Filled) -> Json:
    written: Json = {
        name: {"text": " + ".join(each), "value": list(each) if each[1:] else each[0]}
        for name, each in filled.values.items()
    }
    interval = write_interval(filled.interval)
    return written | {"__interval": {"text": interval, "value": interval}}


# -- what a board asks -------------------------------------------------------------


def panels(board: Json, *, folded: bool = True) -> Iterator[Json]:
    """Yield its panels, also those in rows that are folded."""
    for each in board["panels"]:
        if each["type"] != "row":
            yield each
        elif folded:
            yield from each["panels"]


def variables(board: Json) -> list[Json]:
    """Return the variables that ask for their values."""
    return [each for each in board["templating"]["list"] if each["type"] == "query"]


def marks(board: Json) -> list[Json]:
    """Return the annotations that ask Skald."""
    return [each for each in board["annotations"]["list"] if not each.get("builtIn")]


def is_infinity(board: Json) -> bool:
    """Say which data source a board is for."""
    return "skald-infinity" in board["tags"]


def variable_request(board: Json, variable: Json, filled: Filled) -> Request:
    """Return the request for the values of a variable of a board."""
    if is_infinity(board):
        return infinity_request(variable["query"]["infinityQuery"], filled)
    return json_variable(variable["query"], filled)


def requests(board: Json, filled: Filled) -> Iterator[tuple[str, Request]]:
    """Yield every request of a board with the name of what asks it."""
    for each in variables(board):
        yield f"${each['name']}", variable_request(board, each, filled)
    for each in marks(board):
        ask = [each["target"]]
        yield each["name"], _requests(board, ask, filled)[0]
    for panel in panels(board):
        targets = panel.get("targets") or []
        for request in _requests(board, targets, of_panel(filled, panel)):
            yield panel["title"], request


def _requests(board: Json, targets: Sequence[Json], filled: Filled) -> list[Request]:
    if is_infinity(board):
        return [infinity_request(each, filled) for each in targets]
    return [json_request(targets, filled)] if targets else []
