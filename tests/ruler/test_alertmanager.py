"""The Alertmanager is told of alerts as Prometheus tells it."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson

from app.ruler.ruler import Ruler
from app.store import open_reader, open_rulebook
from tests.ruler.driver import World, minute, values

RULE = """
groups:
  - name: g
    rules:
      - alert: Bad
        expr: '{} | count_over_time() > 1'
        labels: {severity: page}
        annotations: {summary: 'is {{ $value }}'}
"""


@contextmanager
def alertmanager(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve as one; yield its address and what it was told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append(
                {
                    "path": self.path,
                    "token": self.headers.get("Authorization"),
                    "alerts": orjson.loads(body),
                }
            )
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", told
        finally:
            server.shutdown()
            thread.join()


def live(folder: Path, url: str, *minutes: float) -> None:
    """Run a rule whose condition holds in the first two minutes."""
    bad = values(({"app": "shop"}, 2.5))
    world = World(
        folder,
        RULE,
        {"Bad": {1: bad, 2: bad}},
        alertmanagers=(url,),
        alertmanager_token="secret",
        external_url="https://skald.example",
        alert_resend_ms=120_000,
    )
    with closing(open_rulebook(world.settings)) as book:
        ruler = Ruler(world.settings, book, open_reader, make_evaluator=world.script)
        for number in minutes:
            ruler.run(world.group, minute(number))


def test_an_alert_is_told_as_prometheus_does(tmp_path: Path) -> None:
    """Path, token and body are those of the Alertmanager's API."""
    with alertmanager() as (url, told):
        live(tmp_path, url, 1)

    assert told == [
        {
            "path": "/api/v2/alerts",
            "token": "Bearer secret",
            "alerts": [
                {
                    "labels": {"alertname": "Bad", "app": "shop", "severity": "page"},
                    "annotations": {"summary": "is 2.5"},
                    "startsAt": "2026-11-20T00:01:00.000Z",
                    "endsAt": "2026-11-20T00:09:00.000Z",
                    "generatorURL": "https://skald.example",
                }
            ],
        }
    ]


def test_it_is_repeated_and_its_end_is_told(tmp_path: Path) -> None:
    """Not each minute, but after the delay; the end at once."""
    with alertmanager() as (url, told):
        live(tmp_path, url, 1, 2, 3, 4, 5)

    ends = [each["alerts"][0]["endsAt"][14:16] for each in told]
    assert ends == ["09", "03", "03"]


def test_what_was_not_taken_is_told_again(tmp_path: Path) -> None:
    """An Alertmanager that is down hears of it once it is back."""
    with alertmanager(503) as (url, told):
        live(tmp_path, url, 1, 2)

    assert len(told) == 2
