"""Build a small shop behind a stand-in Loki, and ask about it."""

import requests

from app.demo.standin import Limits, StandIn
from app.model import Entry

T0 = 1_795_161_240_000_000_000
S = 1_000_000_000
NOW_MS = T0 // 1_000_000 + 60_000
SHOP = {"app": "shop", "kind": "event"}


def entry(ts: int, line: str, app: str = "shop", **metadata: str) -> Entry:
    """Build an entry of the shop, *ts* ns after the start of the test's world."""
    return Entry(T0 + ts, line, {"app": app, "kind": "event"}, metadata)


def started(*entries: Entry, **limits: object) -> StandIn:
    """Start a stand-in that holds *entries*."""
    loki = StandIn(limits=Limits(**limits), now=lambda: NOW_MS)
    loki.load(entries)
    return loki


def ask(loki: StandIn, query: str, **params: object) -> requests.Response:
    """Ask for lines, the oldest first."""
    asked = {"query": query, "start": T0, "end": T0 + 60 * S, "direction": "forward"}
    url = f"{loki.url}/loki/api/v1/query_range"
    headers = {"Accept-Encoding": "identity"}
    return requests.get(url, params=asked | params, headers=headers, timeout=5)


def lines(answer: requests.Response) -> list[str]:
    """Return the lines of an answer, stream after stream."""
    assert answer.status_code == 200, answer.text
    return [v[1] for s in answer.json()["data"]["result"] for v in s["values"]]
