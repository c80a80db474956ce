"""Turn what some sources tell of a session into its rows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from app.model import Session, Step

Numbers = Mapping[str, int]  # string → its number; "" has none
Row = tuple[object, ...]
PICO_IN_NANO = 1_000  # the index keeps nano-USD: sums of it stay within 64 bits
MAX_TRACES = 1_000  # kept as rows of one session
MAX_COUNT = 1 << 53


def told_columns(session: Session, n: Numbers) -> Row:
    """Return the columns of ``told_tables.SESSION_COLUMNS``; NULL where nobody tells."""
    c, f = session.context, session.figures
    figures = (
        f.frustrations, f.crashes, f.long_tasks, int(f.has_replay), f.traces,
        f.observations, f.generations, f.warnings, nano(f.cost), f.tokens_in,
        f.tokens_out, f.tokens, f.trace_latency, f.generation_time,
    )  # fmt: skip
    return (
        n.get(c.city),
        n.get(c.connection),
        *(min(each, MAX_COUNT) for each in figures),
    )


def nano(pico: int) -> int:
    """Return pico-USD as nano-USD, rounded to the nearest."""
    return (pico + PICO_IN_NANO // 2) // PICO_IN_NANO


def told_strings(session: Session) -> Iterator[str]:
    """Yield every string that these rows refer to."""
    f = session.figures
    yield from (session.context.city, session.context.connection, *f.tags)
    for view in session.views:
        yield view.title
    for trace in session.traces:
        yield from (trace.name, trace.user)
        for step in trace.steps:
            yield step.model
    for name, value in f.scores:
        yield name
        if isinstance(value, str):
            yield value


def trace_rows(row_id: int, session: Session, n: Numbers) -> Iterator[Row]:
    """Yield the rows of table ``traces``; ``at`` counts from the session's start."""
    for index, trace in enumerate(session.traces[:MAX_TRACES]):
        yield (
            row_id, index, trace.at - session.start, n.get(trace.name),
            n.get(trace.user), trace.latency, nano(trace.cost), trace.tokens,
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
            number, said = (None, n.get(str(value))) if is_text else (value, None)
            yield row_id, index, 0, n[name], number, said


INSERTS = (
    ("insert into traces values (?,?,?,?,?,?,?,?,?)", trace_rows),
    ("insert into usage values (?,?,?,?,?,?,?,?,?,?)", usage_rows),
    ("insert into tags values (?,?,?,?)", tag_rows),
    ("insert into scores values (?,?,?,?,?,?)", score_rows),
)
