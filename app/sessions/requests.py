"""Tell requests of an application apart from files of a page, each of them once."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.model import Context, Event, Kind
from app.sessions.timeline import Moment

_SPAN, _RESOURCE = int(Kind.SPAN), int(Kind.RESOURCE)
_CALLS = frozenset({"", "fetch", "xmlhttprequest", "xhr", "native", "beacon"})
_FAILED = 400  # status from which on a request failed

TIMINGS = ("ttfb", "dns", "tcp", "tls", "request", "response", "load")


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request of a session, as the browser, the tracer or both saw it."""

    at: int
    url: str
    page: str
    is_call: bool  # of the application, and not a file of the page
    type: str
    method: str
    status: int | None
    duration: float | None  # ms
    bytes: int | None
    trace: str
    span: str
    timings: dict[str, Any]  # ms by name, of those in ``TIMINGS`` that are known
    key: int  # of its event

    @property
    def is_failed(self) -> bool:
        """Whether it was answered, and with a failure."""
        return self.status is not None and self.status >= _FAILED


def list_requests(
    moments: Iterable[Moment], contexts: Mapping[int, Context]
) -> list[Request]:
    """List the requests of a session in order.

    The tracer's span has method, status and trace, the browser's timing what took how
    long and how much came. Of one URL the first span and the first timing belong
    together, the second and the second, and so on.
    """
    seen = [each for each in moments if each[1].kind in {_SPAN, _RESOURCE}]
    timings: dict[str, deque[Event]] = defaultdict(deque)
    spans: dict[str, int] = defaultdict(int)
    for _, event in seen:
        if event.kind == _SPAN:
            spans[event.name] += 1
        else:
            timings[event.name].append(event)
    twins: dict[str, int] = defaultdict(int)
    found: list[Request] = []
    for at, event in seen:
        page = contexts[event.context].page
        if event.kind == _SPAN:
            waiting = timings[event.name]
            found.append(
                _request(at, event, page, waiting.popleft() if waiting else None)
            )
        elif twins[event.name] < spans[event.name]:
            twins[event.name] += 1  # a span tells of it
        else:
            found.append(_request(at, event, page, None))
    return found


def _request(at: int, event: Event, page: str, twin: Event | None) -> Request:
    """Join what one or two events say of a request."""
    facts = {**((twin and twin.facts) or {}), **(event.facts or {})}
    kind = str(facts.get("type", ""))
    timings = {name: facts[name] for name in TIMINGS if name in facts}
    if "ttfb" in timings:  # from its being asked to its first byte: the same
        timings.setdefault("request", timings["ttfb"])
    duration = event.value
    if duration is None and twin is not None:
        duration = twin.value
    return Request(
        at=at,
        url=event.name,
        page=page,
        is_call=event.kind == _SPAN or kind in _CALLS,
        type=kind or ("fetch" if event.kind == _SPAN else ""),
        method=str(facts.get("method", "")),
        status=_whole(facts.get("status")),
        duration=duration,
        bytes=_whole(facts.get("bytes")),
        trace=str(facts.get("trace", "")),
        span=str(facts.get("span", "")),
        timings=timings,
        key=event.key,
    )


def _whole(value: object) -> int | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if is_number else None  # type: ignore[call-overload]
