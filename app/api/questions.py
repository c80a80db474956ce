"""Turn what a request says into a question, and put it to the index.

Both contracts come through here: names are looked up in the catalog, values become
filters, times become a window, and every problem of a request is told at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches

from flask import Response

from app.api.asked_queries import metric_of
from app.api.filters import read_filters, read_text
from app.api.parameters import (
    Scalar,
    decode_list,
    is_unset,
    parse_duration,
    parse_instant,
    text_of,
)
from app.api.steps import fitting_step, nice_step
from app.catalog import names
from app.catalog.fields import FIELDS, Field, find
from app.catalog.metrics import METRICS, Metric
from app.errors import BadRequest, UnknownName
from app.sessionql.evaluate import Frame, evaluate
from app.sessionql.language import parse
from app.sessionql.plan import And, Filter, Leaf, Plan, Window, bind, leaves
from app.settings import Settings
from app.store.seam import Reader

Asked = Mapping[str, Sequence[Scalar]]

DEFAULT_RANGE = 6 * 3_600_000  # ms; the time asked about when nothing is said
MINUTE = 60_000
MAX_LABELS = 5
MAX_METRICS = 20
MAX_CELLS = 200_000  # series times buckets in one answer
_MOST_NAMES = 60  # that a refusal lists

IGNORED = frozenset({"_"})  # what clients add so that caches do not answer
WORDS = frozenset({"from", "to", "text", "q"}) | IGNORED


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the index: figures, of which sessions, when, by what."""

    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    selector: Filter
    window: Window


class Problems:
    """What is wrong with a request, gathered to be told at once."""

    def __init__(self) -> None:
        self.found: list[BadRequest] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note a refusal and go on."""
        try:
            yield
        except BadRequest as problem:
            self.found.append(problem)

    def tell(self) -> None:
        """Raise what was noted, if anything was."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise BadRequest("; ".join(str(each) for each in self.found[:10]))


def read_question(
    asked: Asked,
    now: int,
    words: frozenset[str],
    *,
    has_steps: bool,
    settings: Settings,
) -> Question:
    """Read a question for figures.

    Args:
        asked: parameters by name.
        now: the time of asking, ms.
        words: names of parameters that are no filters.
        has_steps: the figures are wanted bucket by bucket.
        settings: for what is not said.

    Raises:
        BadRequest: lists everything that cannot be meant.
    """
    problems = Problems()
    metrics, by = read_metrics(asked, problems), read_by(asked, problems)
    selector = read_selector(asked, now, words, problems)
    start, end, step = 0, 1, 0
    with problems.noted():
        start, end = read_range(asked, now)
        if has_steps:
            step = read_step(asked, end - start, unit_of(metrics), settings)
    problems.tell()
    return Question(metrics, by, selector, Window(start, end, step, now))


def read_metrics(asked: Asked, problems: Problems) -> tuple[Metric, ...]:
    """Read the metrics, or a query; just the sessions when none is named."""
    query = single(asked, "q")
    if query:
        with problems.noted():
            return (metric_of(query),)
    found = []
    for name in listed(asked, "metric") or ["sessions"]:
        with problems.noted():
            found.append(names.metric(name))
    if len(found) > MAX_METRICS:
        problems.found.append(BadRequest(f"more than {MAX_METRICS} metrics"))
    return tuple(found)


def read_by(asked: Asked, problems: Problems) -> tuple[str, ...]:
    """Read the names to group by."""
    found = []
    for name in listed(asked, "by"):
        with problems.noted():
            found.append(names.dimension(name).name)
    if len(found) > MAX_LABELS:
        problems.found.append(BadRequest(f"more than {MAX_LABELS} labels in 'by'"))
    return tuple(found)


def listed(asked: Asked, name: str) -> list[str]:
    """List the texts of a parameter that may name several, each once."""
    found: dict[str, None] = {}
    for each in asked.get(name, ()):
        found.update(dict.fromkeys(decode_list(text_of(each)) or ()))
    return [each for each in found if each]


def single(asked: Asked, name: str) -> str:
    """Return the text of a parameter that has one value; "" when it is not set."""
    texts = [text_of(each).strip() for each in asked.get(name, ())]
    texts = [each for each in texts if not is_unset(each)]
    return texts[-1] if texts else ""


def read_selector(
    asked: Asked, now: int, words: frozenset[str], problems: Problems
) -> Filter:
    """Join the filters of all parameters that are no *words*."""
    parts: list[Filter] = read_text(asked.get("text", ()))
    for name, given in asked.items():
        if name in words or name in WORDS:
            continue
        with problems.noted():
            parts += read_filters(*_of_field(name, given, words), now)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _of_field(
    name: str, given: Sequence[Scalar], words: frozenset[str]
) -> tuple[Field, Sequence[Scalar]]:
    """Return the field of a parameter; ``errors>=5`` arrives as ``errors>`` and ``5``."""
    if name[-1:] in {"!", ">", "<"}:
        symbol = f"{name[-1]}="
        name, given = name[:-1], [f"{symbol}{text_of(each)}" for each in given]
    field = find(name)
    if field is None:
        raise UnknownName(
            f"no parameter {name[:60]!r}{nearest(name, words | set(FIELDS))}"
        )
    return field, given


def nearest(name: str, known: Sequence[str] | frozenset[str]) -> str:
    """Say which of *known* may have been meant, or where they are told."""
    close = get_close_matches(name[:60], sorted(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    is_short = len(known) <= _MOST_NAMES
    told = (
        f"known: {', '.join(sorted(known))}" if is_short else "/api/v1 lists them all"
    )
    return f"; {told}"


def read_range(asked: Asked, now: int, default: int = DEFAULT_RANGE) -> tuple[int, int]:
    """Read ``from`` and ``to``: until now and 6 hours back when nothing is said.

    Raises:
        BadRequest: a time cannot be read, or from is not before to.
    """
    until, since = single(asked, "to"), single(asked, "from")
    end = parse_instant(until, now) if until else now
    start = parse_instant(since, now) if since else max(0, end - default)
    if start >= end:
        raise BadRequest(
            f"'from' ({since or start}) is not before 'to' ({until or end})"
        )
    return start, end


def read_step(asked: Asked, length: int, unit: int, settings: Settings) -> int:
    """Read ``step``, or choose one for ``max_points`` buckets.

    Raises:
        BadRequest: it is no duration, or makes too many points.
    """
    text = single(asked, "step")
    if not text:
        points = whole(asked, "max_points", settings.points)
        return nice_step(length, max(1, min(points, settings.max_points)), unit)
    step = parse_duration(text)
    if not step or step < 0:
        raise BadRequest(f"cannot read the step {text[:60]!r}: give 30s, 1m or ms")
    return fitting_step(step, length, settings.max_points, unit)


def unit_of(metrics: Sequence[Metric]) -> int:
    """Return what a step must be a multiple of: active sessions are kept by minute."""
    plans = [parse(each.text).figures for each in metrics]
    is_by_minute = any(leaf.function == "active" for p in plans for leaf in leaves(p))
    return MINUTE if is_by_minute else 1_000


def whole(asked: Asked, name: str, default: int) -> int:
    """Return a parameter that the schema has read as a whole number."""
    given = asked.get(name)
    return int(given[-1] or default) if given else default


def ask(
    question: Question, reader: Reader, settings: Settings, series: int = 0
) -> list[Frame]:
    """Answer a question: a frame for each of its metrics, all with the same buckets.

    Args:
        question: what is asked.
        reader: who answers.
        settings: its bounds.
        series: at most that many; 0 = as many as an answer may hold. Of figures that
            count, these are the largest. Of others, bucket by bucket, they are those of
            most sessions: the highest rates are of labels that hardly anybody has.

    Raises:
        TooExpensive: the store hit its time limit.
    """
    most = settings.max_rows
    if question.window.step:
        cells = len(question.metrics) * max(1, len(question.window.buckets()))
        most = max(1, min(settings.max_series, MAX_CELLS // cells))
    if not (series and question.window.step and any(map(is_share, question.metrics))):
        return _evaluate(question, reader, min(series or most, most))
    frames = _evaluate(question, reader, most)
    if all(len(each.series) <= series for each in frames):
        return frames
    whole = replace(question.window, step=0)
    counted = replace(question, metrics=(METRICS["sessions"],), window=whole)
    ranked = [each.labels for each in _evaluate(counted, reader, most)[0].series]
    return [_keep(each, ranked[:series]) for each in frames]


def is_share(metric: Metric) -> bool:
    """Say whether a metric of the catalog is a rate, a mean or a quantile: no sum."""
    return metric.name in METRICS and not metric.counts


def _evaluate(question: Question, reader: Reader, most: int) -> list[Frame]:
    foresee([question], reader)
    return [answer_plan(plan, question, reader, most) for plan in plans_of(question)]


def answer_plan(plan: Plan, question: Question, reader: Reader, most: int) -> Frame:
    """Answer a plan over the time of a question, with at most that many series."""
    recorded = reader.recorded_cells
    return evaluate(plan, question.window, reader, max_series=most, recorded=recorded)


def foresee(questions: Sequence[Question], reader: Reader) -> frozenset[Leaf]:
    """Let the reader look once for questions that it is about to be asked.

    Returns:
        Leaves of which the answer is at hand now.
    """
    found: set[Leaf] = set()
    for window in {each.window for each in questions}:
        asked = [
            leaf
            for each in questions
            if each.window == window
            for plan in plans_of(each)
            for leaf in leaves(plan)
        ]
        found |= reader.foresee(asked, window)
    return frozenset(found)


def plans_of(question: Question) -> list[Plan]:
    """Return what is to be worked out for each metric."""
    return [
        bind(parse(metric.text).figures, question.selector, question.by)
        for metric in question.metrics
    ]


def _keep(frame: Frame, labels: Sequence[tuple[str, ...]]) -> Frame:
    """Keep the series of these labels, in their order."""
    found = {each.labels: each for each in frame.series}
    kept = [found[each] for each in labels if each in found]
    text = f"showing {len(kept)} of {len(found)} series, those of most sessions"
    return replace(frame, series=kept, notices=[*frame.notices, text])


def note_cuts(response: Response, frames: Sequence[Frame]) -> Response:
    """Say in a header what rows have no place for: that the answer is cut."""
    notices = dict.fromkeys(notice for frame in frames for notice in frame.notices)
    if notices:
        response.headers["Skald-Notice"] = "; ".join(notices)
    return response
