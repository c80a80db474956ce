"""Ask over the range of the world in which every board has something to show."""

from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.grafana import Filled, Json, Values, infinity_request, json_request
from tests.dashboards.world import END, START


def filled(
    values: Values | None = None, written: str = "", *, is_alert: bool = False
) -> Filled:
    """Fill variables in, over the whole range; *written* in one of Grafana's formats."""
    return Filled(START, END, values or {}, written, is_alert=is_alert)


def with_errors(client: FlaskClient) -> str:
    """Return the session with most errors: it has something of everything."""
    asked = "from=now-6d&app=tealeaf-shop&sort=-errors&limit=1&format=rows"
    found: str = client.get(f"/api/v1/sessions?{asked}").get_json()[0]["id"]
    return found


def ask_infinity(client: FlaskClient, target: Json, how: Filled) -> TestResponse:
    """Send the request of a target."""
    return infinity_request(target, how).send(client)


def ask_json(client: FlaskClient, targets: Sequence[Json], how: Filled) -> Any:
    """Send the one request of a panel, and return what it is answered."""
    response = json_request(targets, how).send(client)
    assert response.status_code == 200, response.get_data()
    return response.get_json()
