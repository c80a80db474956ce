"""Tables that show some rows: those, with the figures that they have among all."""

from collections.abc import Iterator

import pytest

from app.api.comparing import Cohort, compare_cohorts
from app.api.frames import to_rows
from app.api.questions import Question, ask
from app.api.shown import ask_rows
from app.catalog.metrics import METRICS
from app.catalog.names import metric
from app.demo.world import World
from app.sessionql.filters import And, Any, Compare, Filter, Sequence, Text, both
from app.sessionql.language import parse
from app.sessionql.narrowing import narrow
from app.sessionql.plan import Window, bind
from app.settings import Settings
from app.store.reader import SqliteReader
from tests.build import HOUR
from tests.driver import Index
from tests.worlds import NOON

METRIC_SETS = (
    ("sessions", "lcp_p75", "inp_p75", "error_rate"),
    ("views", "sessions", "bounce_rate", "duration_p50"),
    ("active_users", "errors", "views_per_session", "lcp_p75"),
    ("errors", "sessions", "returning_users"),
    ("error_rate", "sessions", "cls_p75"),
)
BY = ("page", "entry", "exit", "browser_version", "language", "status", "user", "os")
SELECTORS: dict[str, Filter] = {
    "all": And(),
    "a browser": Compare("browser", "=", ("Chrome",)),
    "slow pages": Compare("lcp", ">", (1500.0,)),
    "those who saw the cart": Any("view", Compare("page", "=~", (".*cart.*",))),
    "a page": Compare("page", "=~", (".*c.*",)),
    "an order of pages": Sequence(
        ">>", Compare("page", "!=", ("/",)), Compare("page", "=~", (".+",)), ("view", "view")
    ),
    "a text": Text("a"),
    "errors there": Compare("error", "=~", (".+",)),
}  # fmt: skip


@pytest.fixture(scope="module", params=["rollups", "tables"])
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SqliteReader]:
    """Read an index of half a day; rolled up, or not."""
    index = Index(tmp_path_factory.mktemp("shown") / "skald.db")
    index.ingest(World(5, sessions_per_hour=25).history(NOON - 10 * HOUR, NOON))
    while request.param == "rollups" and index.writer.roll_up(1 << 52, "single_view"):
        pass
    found = SqliteReader(index.path, "default")
    yield found
    found.close()
    index.close()


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("by", BY)
def test_rows_that_are_shown_are_the_first_of_all(
    by: str, selector: str, reader: SqliteReader
) -> None:
    """Nothing but the number of rows depends on the limit."""
    window = Window(NOON - 9 * HOUR - 5, NOON - 700, 0, NOON)
    for names in METRIC_SETS:
        metrics = tuple(map(metric, names))
        question = Question(metrics, (by,), SELECTORS[selector], window)
        every = to_rows(metrics, ask(question, reader, Settings()))
        for limit in (1, 3, 8):
            frames = ask_rows(question, reader, Settings(), limit)
            assert to_rows(metrics, frames)[:limit] == every[:limit]


@pytest.mark.parametrize("label", ["version", "browser", "status", "entry", "user"])
def test_values_are_compared_as_if_each_was_asked_for(
    label: str, reader: SqliteReader
) -> None:
    """What one question says of both values is what a question about each says."""
    metrics = tuple(METRICS.values())
    window = Window(NOON - 9 * HOUR - 5, NOON - 700, 0, NOON)
    for among in (And(), Compare("device", "=", ("desktop",))):
        values = [value for value, _ in reader.values(label, window, among, 3)]
        for pair in zip(values, [*values[1:], "unheard of"], strict=True):
            parts = [Compare(label, "=", (value,)) for value in pair]
            a, b = (Cohort(part.field, window, among, part) for part in parts)
            rows, _ = compare_cohorts(metrics, (a, b), reader, Settings())
            for side, part in zip("ab", parts, strict=True):
                one = Question(metrics, (), both(among, part), window)
                true = to_rows(metrics, ask(one, reader, Settings()))
                expected = [true[0][each.name] if true else None for each in metrics]
                assert [row[side] for row in rows] == expected


def test_what_a_filter_cannot_choose_is_asked_of_all() -> None:
    """Of errors by page, visits choose others; ranks need all; nothing is no value."""
    plan = bind(parse(METRICS["errors"].text).figures, And(), ("page",))
    ranked = bind(parse("{} | count_over_time() by (entry) | topk(3)").figures, And())
    sessions = bind(parse(METRICS["sessions"].text).figures, And(), ("entry",))

    assert narrow(plan, "page", ["/cart"]) is None
    assert narrow(ranked, "entry", ["/cart"]) is None
    assert narrow(sessions, "entry", ["/cart", ""]) is None
    assert narrow(sessions, "entry", ["/cart"]) is not None
