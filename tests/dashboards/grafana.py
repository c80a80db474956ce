"""Ask as Grafana and its two plugins do: variables and macros filled in, in its formats."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.dashboards.world import END, START

Json = dict[str, Any]
Values = Mapping[str, Sequence[str]]

FORMATS = ("glob", "csv", "json", "pipe", "regex", "percentencode")
ALL = "__all"
_MACRO = re.compile(r"\$\{(\w+)(?::([\w:]+))?\}|\$(\w+)")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_INTERVAL = 30 * 60_000  # ms
_BUILT_IN = {
    "__timeFrom": str(START),
    "__timeTo": str(END),
    "__from": str(START),
    "__to": str(END),
    "__interval": "30m",
    "__interval_ms": str(_INTERVAL),
}


@dataclass
class Filled:
    """What the variables of a board hold.

    Attributes:
        values: of each variable; one that is "All" holds just ``__all``.
        format: in which all macros are written, whatever they say; "" = as they say.
        is_alert: nothing but the time is filled in, as in alert rules.
    """

    values: Values = field(default_factory=dict)
    format: str = ""
    is_alert: bool = False

    def write(self, text: str, default: str = "glob") -> str:
        """Fill in the macros of a text."""

        def one(found: re.Match[str]) -> str:
            name, wanted = found[1] or found[3], found[2] or default
            is_time = name in {"__timeFrom", "__timeTo"}
            if name in _BUILT_IN and (is_time or not self.is_alert):
                return _BUILT_IN[name]
            if name not in self.values or self.is_alert:
                return found[0]
            keeps = wanted == "percentencode" and not self.format
            return write_values(self.values[name], wanted if keeps else self.format or wanted)  # fmt: skip

        return _MACRO.sub(one, text)


def write_values(values: Sequence[str], wanted: str) -> str:
    """Write the values of a variable in one of Grafana's formats."""
    if list(values) == [ALL]:
        return ALL  # a custom "All" is written as it stands
    several = len(values) > 1
    if wanted == "glob":
        return f"{{{','.join(values)}}}" if several else values[0]
    if wanted == "regex":
        escaped = [_SPECIAL.sub(r"\\\g<0>", each) for each in values]
        return f"({'|'.join(escaped)})" if several else escaped[0]
    if wanted == "json":
        return json.dumps(list(values)) if several else values[0]
    if wanted == "percentencode":
        text = f"{{{','.join(values)}}}" if several else values[0]
        return quote(text, safe="!'()*-._~")
    return {"csv": ",", "pipe": "|"}[wanted].join(values)


def with_errors(client: FlaskClient) -> str:
    """Return the session with most errors: it has something of everything."""
    asked = "from=now-6d&app=tealeaf-shop&sort=-errors&limit=1&format=rows"
    found: str = client.get(f"/api/v1/sessions?{asked}").get_json()[0]["id"]
    return found


# -- Infinity ----------------------------------------------------------------------


def ask_infinity(client: FlaskClient, target: Json, filled: Filled) -> TestResponse:
    """Send the request of a target; a parameter that is repeated is sent once."""
    options = target["url_options"]
    assert target["parser"] == "backend"
    assert options["method"] == "GET"
    given = {each["key"]: filled.write(each["value"]) for each in options["params"]}
    url = filled.write(target["url"], "percentencode")
    glue = "&" if "?" in url else "?"
    return client.get(f"{url}{glue}{urlencode(sorted(given.items()))}")


# -- JSON --------------------------------------------------------------------------


def ask_json(client: FlaskClient, targets: Sequence[Json], filled: Filled) -> Any:
    """Send the one request of a panel, and return what it is answered."""
    body = {
        "app": "dashboard",
        "requestId": "SQR100",
        "timezone": "browser",
        "range": RANGE,
        "interval": "30m",
        "intervalMs": _INTERVAL,
        "targets": [
            {
                **target,
                "target": filled.write(target["target"], "regex"),
                "payload": _builder(target["payload"], filled),
            }
            for target in targets
        ],
        "maxDataPoints": 720,
        "scopedVars": _scoped(filled.values),
        "filters": [],
    }
    response = client.post("/json/query", json=body)
    assert response.status_code == 200, response.get_data()
    return response.get_json()


RANGE = {
    "from": "2026-11-15T00:00:00.000Z",
    "to": "2026-11-20T12:00:00.000Z",
    "raw": {"from": "now-6d", "to": "now"},
}


def _builder(payload: Any, filled: Filled) -> Any:
    if isinstance(payload, dict):
        return {key: _builder(each, filled) for key, each in payload.items()}
    if isinstance(payload, list):
        return [_builder(each, filled) for each in payload]
    return filled.write(str(payload), "regex")


def _scoped(values: Values) -> Json:
    return {
        name: {
            "text": " + ".join(each),
            "value": list(each) if len(each) > 1 else each[0],
        }
        for name, each in values.items()
    } | {"__interval": {"text": "30m", "value": "30m"}}
