"""Nest what happened in a session: traces with their steps, views with what they held."""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from app.events.clean import host_of, path_of
from app.events.money import usd
from app.model import Context, Kind, Session, Step, Trace
from app.sessions.requests import Request, list_requests
from app.sessions.timeline import Moment

ROOT = "session"
_DEEPEST = 50  # levels of steps; what is deeper is shown at that one
_SECOND = 1_000  # ms
_CENT = 0.01
_LOG_ERRORS = frozenset({"error", "fatal", "critical"})


class Node(msgspec.Struct, frozen=True, gc=False):
    """One thing in the tree of a session.

    Attributes:
        parent: id of the node that holds it; "" for the session itself.
        duration: ms; None = not known, or it has none.
        cost: USD; None = not known.
    """

    id: str
    parent: str
    depth: int
    kind: str
    name: str
    service: str
    at: int
    duration: float | None = None
    cost: float | None = None
    tokens: int | None = None
    model: str = ""
    level: str = ""  # error | warning | ""
    message: str = ""


class Tree(msgspec.Struct, frozen=True, gc=False):
    """The nodes of a session, each after the one that holds it, and how many were left."""

    nodes: list[Node]
    cut: int


def grow_tree(
    session: Session,
    moments: Sequence[Moment],
    contexts: Mapping[int, Context],
    limit: int,
) -> Tree:
    """Nest what happened in *session*: at most *limit* nodes beside the session's own.

    Views and traces come first; of what views held, errors before actions before
    requests before the rest, and the longest before the shorter.
    """
    views = _views(session)
    steps = [node for trace in session.traces for node in _steps(session, trace)]
    tops = [node for node, _ in views] + steps
    kept, held = tops[:limit], list(_held(session, moments, contexts))
    room = limit - len(kept)
    chosen = heapq.nsmallest(room, held, key=_importance) if room else []
    cut = len(tops) + len(held) - len(kept) - len(chosen)
    views = views[:limit]
    below: dict[str, list[Node]] = defaultdict(list)
    for node, page in sorted(chosen, key=lambda each: each[0].at):
        owner = _owner(views, node.at, page) if views else ROOT
        depth = 2 if views else 1
        below[owner].append(msgspec.structs.replace(node, parent=owner, depth=depth))
    nodes = [_root(session), *below.pop(ROOT, [])]
    for block in sorted(_blocks(kept), key=lambda each: each[0].at):
        nodes += [*block, *below.pop(block[0].id, [])]
    return Tree(_unique(nodes), cut)


def _owner(views: Sequence[tuple[Node, str]], at: int, page: str) -> str:
    """Return the id of the view in which something happened, by its time.

    What happened as views changed belongs to the one that has its page.
    """
    index = max(0, bisect_right(views, at, key=_start) - 1)
    newest = views[index][0].id
    while page and index >= 0 and views[index][1] != page:
        if views[index][0].at < at:
            return newest
        index -= 1
    return views[index][0].id if index >= 0 else newest


def _start(view: tuple[Node, str]) -> int:
    return view[0].at


def _root(session: Session) -> Node:
    return Node(
        id=ROOT,
        parent="",
        depth=0,
        kind="session",
        name=session.key.id,
        service=session.key.app,
        at=session.start,
        duration=session.end - session.start,
        cost=usd(session.figures.cost) if session.traces else None,
        tokens=session.figures.tokens if session.traces else None,
        level="error" if session.errors else "",
    )


def _blocks(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Divide nodes where one of the first level begins."""
    block: list[Node] = []
    for node in nodes:
        if node.depth == 1 and block:
            yield block
            block = []
        block.append(node)
    if block:
        yield block


def _views(session: Session) -> list[tuple[Node, str]]:
    """List the views that are no traces, which some sources make of each; and pages."""
    traces = {(trace.at, trace.name) for trace in session.traces}
    last = len(session.views) - 1
    return [
        (
            Node(
                id=f"view-{index}",
                parent=ROOT,
                depth=1,
                kind="view",
                name=view.title or view.page,
                service=session.key.app,
                at=view.at,
                duration=session.end - view.at
                if view.dwell is None and index == last
                else view.dwell,
            ),
            view.page,
        )
        for index, view in enumerate(session.views)
        if (view.at, view.page) not in traces
    ]


def _held(
    session: Session, moments: Sequence[Moment], contexts: Mapping[int, Context]
) -> Iterator[tuple[Node, str]]:
    """Yield what happened within views, and on which page where that is known."""
    app = session.key.app
    for at, event in moments:
        if event.kind in _NAMED or (
            event.kind == _LOG and event.name.lower() in _LOG_ERRORS
        ):
            facts = event.facts or {}
            node = Node(
                id=f"{event.key & _MASK:016x}",
                parent="",
                depth=2,
                kind=_NAMED.get(event.kind, "log"),
                name=event.name,
                service=app,
                at=at,
                duration=event.value if event.kind != _ERROR else None,
                level="error" if event.kind in {_ERROR, _LOG} else "",
                message=str(facts.get("message", "")),
            )
            yield node, contexts[event.context].page
    for request in list_requests(moments, contexts):
        yield _of_request(request, app), request.page


def _of_request(request: Request, app: str) -> Node:
    method = f"{request.method} " if request.method else ""
    failed = request.is_failed
    return Node(
        id=request.span or f"{request.key & _MASK:016x}",
        parent="",
        depth=2,
        kind="request" if request.is_call else "resource",
        name=f"{method}{path_of(request.url) or request.url}",
        service=host_of(request.url) or app,
        at=request.at,
        duration=request.duration,
        level="error" if failed else "",
        message=f"status {request.status}" if failed else "",
    )


_ERROR, _LOG = int(Kind.ERROR), int(Kind.LOG)
_MASK = (1 << 64) - 1
_NAMED = {
    _ERROR: "error",
    int(Kind.ACTION): "action",
    int(Kind.LONG_TASK): "long task",
}
_ORDER = {"error": 0, "action": 1, "request": 2, "log": 2, "long task": 3}


def _importance(held: tuple[Node, str]) -> tuple[int, float, int]:
    node, _ = held
    return _ORDER.get(node.kind, 4), -(node.duration or 0), node.at


# -- traces ------------------------------------------------------------------------


def _steps(session: Session, trace: Trace) -> list[Node]:
    """List a trace and its steps, each after the one that holds it.

    A step that is its trace, by name and alone at the top, is not told twice.
    """
    known = {step.id for step in trace.steps}
    children: dict[str, list[Step]] = defaultdict(list)
    for step in sorted(trace.steps, key=lambda each: (each.at, each.id)):
        owner = step.parent if step.parent in known and step.parent != step.id else ""
        children[owner].append(step)
    top = Node(
        id=trace.id,
        parent=ROOT,
        depth=1,
        kind="trace",
        name=trace.name or trace.id,
        service=session.key.app,
        at=trace.at,
        duration=trace.latency,
        cost=usd(trace.cost),
        tokens=trace.tokens,
        level="error" if trace.errors else "",
    )
    tops = children[""]
    if len(tops) == 1 and tops[0].name == trace.name:
        children[""] = children.pop(tops[0].id, [])
        known.discard(tops[0].id)
    nodes = [top, *_nested(session, trace.id, children)]
    told = {node.id for node in nodes}
    lost = [step for step in trace.steps if step.id in known - told]  # in a circle
    return nodes + [_step(session, step, trace.id, 2) for step in lost]


def _nested(
    session: Session, trace: str, children: Mapping[str, list[Step]]
) -> Iterator[Node]:
    waiting = [(step, trace, 2) for step in reversed(children.get("", []))]
    while waiting:
        step, parent, depth = waiting.pop()
        yield _step(session, step, parent, depth)
        below = children.get(step.id, [])
        waiting += [
            (each, step.id, min(_DEEPEST, depth + 1)) for each in reversed(below)
        ]


def _step(session: Session, step: Step, parent: str, depth: int) -> Node:
    return Node(
        id=step.id,
        parent=parent,
        depth=depth,
        kind=step.type.lower() or "span",
        name=step.name or step.id,
        service=session.key.app,
        at=step.at,
        duration=step.duration,
        cost=None if step.cost is None else usd(step.cost),
        tokens=step.tokens,
        model=step.model,
        level={"ERROR": "error", "WARNING": "warning"}.get(step.level, ""),
        message=step.message,
    )


def _unique(nodes: Iterable[Node]) -> list[Node]:
    """Give every node an id of its own: sources repeat theirs."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for node in nodes:
        seen[node.id] += 1
        again = seen[node.id]
        found.append(
            node
            if again == 1
            else msgspec.structs.replace(node, id=f"{node.id}~{again}")
        )
    return found


# -- text --------------------------------------------------------------------------


def draw_tree(tree: Tree) -> str:
    """Draw the tree with lines, as ``tree`` does with folders."""
    nodes = tree.nodes
    lines = [f"Session: {_label(nodes[0])}"]
    open_levels: list[bool] = []  # per level: does another node follow there?
    for node, is_last in zip(nodes[1:], _lasts(nodes[1:]), strict=True):
        del open_levels[node.depth - 1 :]
        open_levels += [False] * (node.depth - 1 - len(open_levels))
        stems = "".join("│   " if goes_on else "    " for goes_on in open_levels)
        lines.append(f"{stems}{'└── ' if is_last else '├── '}{_label(node)}")
        open_levels.append(not is_last)
    if tree.cut:
        lines.append(f"({tree.cut:,} more are not shown)")
    return "\n".join(lines) + "\n"


def _lasts(nodes: Sequence[Node]) -> list[bool]:
    """Tell of each node whether it is the last that its holder holds."""
    found = [False] * len(nodes)
    seen: set[int] = set()  # depths at which a later node of the same holder stands
    for index in range(len(nodes) - 1, -1, -1):
        depth = nodes[index].depth
        found[index] = depth not in seen
        seen = {each for each in seen if each < depth} | {depth}
    return found


def _label(node: Node) -> str:
    parts = []
    if node.duration is not None:
        parts.append(f"{node.duration / _SECOND:.1f}s")
    if node.cost is not None:
        parts.append(_dollars(node.cost))
    if node.level:
        parts.append(node.level.upper())
    name = " ".join(node.name.split())
    return f"{name} ({', '.join(parts)})" if parts else name


def _dollars(cost: float) -> str:
    """Write cents; of less than a cent what there is."""
    if cost == 0 or cost >= _CENT:
        return f"${cost:.2f}"
    return f"${cost:.6f}".rstrip("0")
