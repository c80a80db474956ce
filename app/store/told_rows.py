"""Turn what some sources tell of a session into its rows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from app.model import Figures, Session, Step

Numbers = Mapping[str, int | None]  # string → its number; "" has none: None
Row = tuple[object, ...]
PICO_IN_NANO = 1_000  # the index keeps nano-USD: sums of it stay within 64 bits
MAX_TRACES = 1_000  # kept as rows of one session
MAX_COUNT = 1 << 53


def told_columns(session: Session, n: Numbers) -> Row:
    """Return the columns of ``told_tables.SESSION_COLUMNS``; NULL where nobody tells."""
    c, f = session.context, session.figures
    if f == _NOTHING:
        return (n[c.city], n[c.connection], *_ZEROS)
    figures = (
        f.frustrations, f.crashes, f.long_tasks, int(f.has_replay), f.traces,
        f.observations, f.generations, f.warnings, nano(f.cost), f.tokens_in,
        f.tokens_out, f.tokens, f.trace_latency, f.generation_time,
    )  # fmt: skip
    return (
        n[c.city],
        n[c.connection],
        *[min(each, MAX_COUNT) for each in figures],
    )


_NOTHING = Figures()
_ZEROS = (0,) * 14


def nano(pico: int) -> int:
    """Return pico-USD as nano-USD, rounded to the nearest."""
    return (pico + PICO_IN_NANO // 2) // PICO_IN_NANO


def trace_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``traces``; ``at`` counts from the session's start."""
    for index, trace in enumerate(session.traces[:MAX_TRACES]):
        yield (
            row_id, index, trace.at - session.start, n[trace.name],
            n[trace.user], trace.latency, nano(trace.cost), trace.tokens,
            trace.errors,
        )  # fmt: skip


def usage_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``usage``: one a model."""
    models: dict[str, list[Step]] = defaultdict(list)
    for trace in session.traces:
        for step in trace.steps:
            if step.model and step.is_counted:
                models[step.model].append(step)
    for index, (model, steps) in enumerate(sorted(models.items())):
        generations = [step for step in steps if step.type == "GENERATION"]
        yield (
            row_id,
            index,
            min(step.at for step in steps) - session.start,
            n[model],
            len(generations),
            nano(sum(step.cost or 0 for step in steps)),
            sum(step.tokens_in for step in generations),
            sum(step.tokens_out for step in generations),
            sum(step.tokens for step in generations),
            sum(step.duration or 0 for step in generations),
        )


def tag_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``tags``."""
    for index, tag in enumerate(session.figures.tags):
        yield row_id, index, 0, n[tag]


def score_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``scores``."""
    for index, (name, value) in enumerate(session.figures.scores):
        if name:
            is_text = isinstance(value, str)
            number, said = (None, n[str(value)]) if is_text else (value, None)
            yield row_id, index, 0, n[name], number, said


def told_rows(
    row_id: int, session: Session, n: Numbers
) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield each table of these, and the rows of *session* in it."""
    yield "traces", trace_rows(row_id, session, n)
    yield "usage", usage_rows(row_id, session, n)
    yield "tags", tag_rows(row_id, session, n)
    yield "scores", score_rows(row_id, session, n)
