"""Answer the queries of one panel, each in the layout it asks for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.api.annotations import KINDS
from app.api.asked_queries import is_query, looked_back, metric_of
from app.api.changes import earlier, join_frames
from app.api.frames import (
    Row,
    field_column,
    metric_column,
    to_dataframe_json,
    to_fields,
    to_long_rows,
    to_rows,
    to_table,
    to_timeserie,
)
from app.api.panel_insights import Listing, Wish
from app.api.panel_lists import LISTS, columns_of, list_rows
from app.api.parameters import decode_list, parse_duration
from app.api.payloads import (
    WORDS,
    Body,
    Payload,
    read_ad_hoc,
    read_count,
    read_payload,
    read_scoped,
    read_time_range,
)
from app.api.questions import (
    Problems,
    Question,
    ask,
    listed,
    read_selector,
    single,
    unit_of,
)
from app.api.sessions import read_sort
from app.api.shown import ask_of
from app.api.steps import nice_step
from app.api.targets import (
    CHANGES,
    DATAFRAME_JSON,
    FRAME,
    ROWS,
    TABLE,
    TIMESERIES,
    Wanted,
    read_query,
    read_target,
)
from app.catalog import names
from app.catalog.fields import FIELDS
from app.catalog.metrics import Metric
from app.errors import UnknownName
from app.sessionql.evaluate import Frame, Series
from app.sessionql.language import parse
from app.sessionql.plan import Filter, Sessions, Window, both
from app.settings import Settings
from app.store.insight_seam import FlowAnswer, FlowQuestion
from app.store.seam import Reader, Search

Labels = tuple[str, ...]

MAX_TARGETS = 50
SESSIONS = 100  # listed when a target does not say
_MOST_SESSIONS = 1_000


@dataclass(frozen=True, slots=True)
class Panel:
    """What all queries of a panel share.

    Attributes:
        flows: already counted: nodes and edges of a graph are one question.
        kept: labels of the rows of its first table of a sort, which the others have, too:
            Grafana makes one table of them.
    """

    start: int
    end: int
    now: int
    interval: int  # ms
    points: int
    ad_hoc: Filter
    raws: Mapping[str, tuple[str, ...]]
    index: Reader
    settings: Settings
    flows: dict[FlowQuestion, FlowAnswer] = field(default_factory=dict)
    kept: dict[tuple[Question, int], list[Labels]] = field(default_factory=dict)


def read_panel(body: Body, now: int, index: Reader, settings: Settings) -> Panel:
    """Read what all queries of a panel share.

    Raises:
        BadRequest: the range or an ad hoc filter cannot be meant.
    """
    start, end = read_time_range(body.get("range"), now)
    filters = body.get("filters") or body.get("adhocFilters")
    return Panel(
        start,
        end,
        now,
        read_count(body.get("intervalMs"), 0),
        read_count(body.get("maxDataPoints"), settings.points),
        read_ad_hoc(filters, now),
        read_scoped(body),
        index,
        settings,
    )


def answer_target(target: Body, panel: Panel) -> Iterator[Row | list[Row]]:
    """Answer one query; one that is hidden or names nothing has no answer.

    A name that is unknown is answered with no rows and a notice: a refusal would take
    the answers of the panel's other queries with it, and old versions show none.

    Raises:
        BadRequest: it cannot be meant.
        TooExpensive: the store hit its time limit.
    """
    if target.get("hide") in (True, "true"):
        return
    for name in _named(target):
        payload = read_payload(target, panel.raws)
        try:
            wanted = _wanted(name, target, payload)
        except UnknownName as problem:
            yield _signed(to_table([], []), target, [str(problem)], "error")
            continue
        for item in _items(wanted, payload, panel):
            yield _signed(item, target, payload.notices)


def _wanted(name: str, target: Body, payload: Payload) -> Wanted:
    layout, kind = single(payload.asked, "format"), target.get("type") or ""
    query = name if is_query(name) else single(payload.asked, "q")
    if query:
        return read_query(query, kind, layout)
    return read_target(name, kind, layout)


def _named(target: Body) -> Sequence[str]:
    """List what a target names; a query in SessionQL is one, and may stand in ``q``."""
    text = str(target.get("q") or target.get("target") or "")
    return (text,) if is_query(text) else decode_list(text) or ()


def _signed(
    item: Row | list[Row],
    target: Body,
    notices: Sequence[str],
    severity: str = "warning",
) -> Row | list[Row]:
    """Say whose answer it is, and what to know of it."""
    if isinstance(item, list):
        return item
    told = dict.fromkeys(item.pop("notices", ()), "info")
    told |= dict.fromkeys(notices, severity)
    signed = item.get("schema", item)
    if target.get("refId"):
        signed["refId"] = target["refId"]
    if told:
        texts = [{"severity": how, "text": text} for text, how in told.items()]
        signed["meta"] = {"notices": texts}
    return item


def _items(wanted: Wanted, payload: Payload, panel: Panel) -> Iterator[Row | list[Row]]:
    problems = Problems()
    selector = read_selector(payload.asked, panel.now, WORDS, problems)
    problems.tell()
    selector = both(selector, panel.ad_hoc)
    if wanted.query:
        yield from _answer_query(wanted, payload, panel, selector)
    elif wanted.name == "session_list":
        yield _list_sessions(wanted, payload, panel, selector)
    elif wanted.name in KINDS:
        rows = mark_rows(wanted.name, panel, selector)
        yield _to_list(Listing(rows, types=_MARK_COLUMNS), payload)
    elif wanted.name in LISTS:
        yield _list_rows(wanted, payload, panel, selector)
    else:
        yield from _figures(wanted, payload, panel, selector)


def _list_rows(
    wanted: Wanted, payload: Payload, panel: Panel, selector: Filter
) -> Row | list[Row]:
    window = Window(panel.start, panel.end, 0, panel.now)
    found = list_rows(
        wanted.name,
        Wish(payload, window, selector, panel.index, panel.settings, panel.flows),
    )
    if wanted.layout == ROWS and found.rows:
        return list(found.rows)
    return _to_list(found, payload)


def _to_list(found: Listing, payload: Payload) -> Row:
    columns = columns_of(found, listed(payload.asked, "columns"))
    return to_table(found.rows, columns) | {"notices": found.notices}


def _answer_query(
    wanted: Wanted, payload: Payload, panel: Panel, selector: Filter
) -> Iterator[Row | list[Row]]:
    query = parse(wanted.query)
    if query.kind == "sessions":
        yield _list_sessions(wanted, payload, panel, selector, query.sessions)
    else:
        yield from _figures(wanted, payload, panel, selector)


def _figures(
    wanted: Wanted, payload: Payload, panel: Panel, selector: Filter
) -> Iterator[Row | list[Row]]:
    metric = metric_of(wanted.query) if wanted.query else names.metric(wanted.name)
    is_whole = wanted.layout in {TABLE, CHANGES}
    step = 0 if is_whole else _step(metric, payload, panel)
    window = Window(panel.start, panel.end, step, panel.now)
    by = tuple(payload.asked.get("by", ()))
    question = Question((metric,), by, selector, window)
    series = read_count(single(payload.asked, "limit"), 0)
    if wanted.layout == TABLE and series:
        frame = _ask_table(question, series, panel)
    else:
        frame = ask(question, panel.index, panel.settings, series)[0]
    if wanted.layout == CHANGES:
        past = replace(question, window=earlier(window))
        before = ask(past, panel.index, panel.settings, series)[0]
        frame = join_frames(before, frame, zero=metric.counts)
    for item in _lay_out(wanted.layout, metric, frame):
        if isinstance(item, dict):
            item["notices"] = frame.notices
        yield item


def _ask_table(question: Question, limit: int, panel: Panel) -> Frame:
    """Ask for the largest figures; of a later table, for those of the first one's labels."""
    key = replace(question, metrics=()), limit
    if key not in panel.kept:
        frame = ask(question, panel.index, panel.settings, limit)[0]
        panel.kept[key] = [each.labels for each in frame.series]
        return frame
    frame = ask_of(question, panel.index, panel.settings, panel.kept[key])
    found = {each.labels: each for each in frame.series}
    none = 0.0 if question.metrics[0].counts else None
    series = [found.get(each) or Series(each, [none]) for each in panel.kept[key]]
    return replace(frame, series=series)


def _lay_out(layout: str, metric: Metric, frame: Frame) -> Iterator[Row | list[Row]]:
    if layout in {TIMESERIES, CHANGES}:
        yield from to_timeserie(metric, frame)
    elif layout == FRAME:
        yield from to_fields(metric, frame)
    elif layout == DATAFRAME_JSON:
        yield from to_dataframe_json(metric, frame)
    elif layout == ROWS:
        yield from filter(None, [to_long_rows([metric], [frame])])
    else:
        columns = [*map(field_column, frame.by), metric_column(metric)]
        yield to_table(to_rows([metric], [frame]), columns)


def _step(metric: Metric, payload: Payload, panel: Panel) -> int:
    """Choose the step: as asked, but never more points than may be."""
    unit, length = unit_of([metric]), panel.end - panel.start
    asked = parse_duration(single(payload.asked, "step")) or panel.interval
    points = max(1, min(panel.points, panel.settings.max_points))
    if asked <= 0:
        return nice_step(length, points, unit)
    least = nice_step(length, panel.settings.max_points, unit)
    return max(least, -(-asked // unit) * unit)


def _list_sessions(
    wanted: Wanted,
    payload: Payload,
    panel: Panel,
    selector: Filter,
    chosen: Sessions = Sessions(),  # noqa: B008  # frozen
) -> Row | list[Row]:
    window = looked_back(chosen, Window(panel.start, panel.end, 0, panel.now))
    sort, descending = read_sort(payload.asked)
    limit = min(read_count(single(payload.asked, "limit"), SESSIONS), _MOST_SESSIONS)
    selector = both(chosen.selector, selector)
    columns = chosen.columns or _known(listed(payload.asked, "columns"))
    found = panel.index.search(
        Search(
            window,
            selector,
            sort,
            descending,
            limit,
            columns=columns,
            is_counted=False,
        )
    )
    if wanted.layout == ROWS and found.items:
        return found.items
    if chosen.columns or not columns:
        columns = tuple(dict.fromkeys(("start", "id", "app", *(columns or _SESSION))))
    return to_table(found.items, [field_column(name) for name in columns])


_SESSION = tuple(name for name, each in FIELDS.items() if each.scope == "session")


def _known(names_: Sequence[str]) -> tuple[str, ...]:
    """Keep the names of fields of sessions."""
    return tuple(name for name in names_ if name in _SESSION)


_MARK_COLUMNS = {
    "time": "time",
    "timeEnd": "time",
    "title": "string",
    "text": "string",
    "tags": "string",
    "id": "string",
}


def mark_rows(name: str, panel: Panel, selector: Filter) -> list[Row]:
    """List annotations of one kind."""
    return KINDS[name](
        panel.index, Window(panel.start, panel.end, 0, panel.now), selector
    )
