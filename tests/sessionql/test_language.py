"""Texts that are understood, texts that are refused, and bounds."""

import random
import string
import time
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.metrics import METRICS
from app.sessionql.evaluate import evaluate
from app.sessionql.language import QueryError, parse
from app.sessionql.plan import Recorded, Window, counts
from tests.docs.test_sessionql import EXAMPLES
from tests.sessionql.queries import Maker, Writer

DESIGN = (
    '{ app="shop" && country="IN" && errors > 0 }',
    '{ app="shop" } | count_over_time() by (browser)',
    '{ app="shop" } | quantile_over_time(duration, 0.5, 0.95) by (version)',
    '{ environment="production" } | share_over_time(errors > 0) by (app)',
    '{ app="shop" } | active_over_time()',
    '{ app="shop" } | distinct_over_time(user)',
    '{ page="/cart" } >> { page="/checkout" }',
    '{ page="/cart" } > { page="/checkout" }',
    '{ page="/cart" } !>> { page="/checkout" }',
    '{ page="/cart" && action="pay" }',
    "({ errors > 0 } | count_over_time()) / ({ } | count_over_time())",
    '{ app="shop" }[1h] | avg_over_time(duration) > 300000',
    '{ app="shop" } | count_over_time() by (entry) | topk(10)',
    '{ "checkout failed" }',
    '{ session.plan = "premium" && event.sku =~ "A-.*" }',
)
REFUSED = {
    "": (1, 1, "unexpected the end"),
    '{ brwoser="x" }': (1, 3, "did you mean 'browser'"),
    '{ app="x" }\n | cont_over_time()': (2, 4, "did you mean 'count_over_time'"),
    "bounce_rte": (1, 1, "did you mean 'bounce_rate'"),
    '{ app="x': (1, 7, "a string that does not end"),
    "{ app=3 }": (1, 7, "'app' is text, and 3 is not"),
    '{ errors="3" }': (1, 10, "is a number"),
    "{ errors > 5m }": (1, 12, "no length of time"),
    '{ version < "2" }': (1, 11, "numbers and times"),
    '{ page =~ "(" }': (1, 11, "bad pattern"),
    '{ page =~ "(a)\\\\1" }': (1, 11, "bad pattern"),
    '{ app = "\\q" }': (1, 9, "no escape"),
    '{ app = "\\ud800" }': (1, 9, "half a character"),
    '{ status = "broken" }': (1, 12, "healthy"),
    "{ bounced = 1 }": (1, 13, "true or false"),
    '{ start > "soon" }': (1, 11, "no time"),
    '{ action="a" && error="b" }': (1, 17, "write { ... } && { ... }"),
    '{ page="a" && (errors>0 || lcp>2) }': (1, 16, "write { ... } || { ... }"),
    '{ action="a" } && { page="b" } >> { lcp > 1 }': None,
    '({ action="a" } && { page="b" }) >> { lcp > 1 }': (1, 34, "one kind"),
    'count_over_time({app="x"}[1h])': (1, 16, "a function follows its selector"),
    "{ } > 5": (1, 7, "only figures are compared"),
    "{ } | count_over_time() = 5": (1, 25, "=="),
    "{ } | count_over_time() by (lcp)": (1, 29, "cannot group by"),
    "{ } | avg_over_time(app)": (1, 21, "is no number"),
    "{ } | avg_over_time()": (1, 7, "needs a field"),
    "{ } | quantile_over_time(lcp, 95)": (1, 26, "from 0 to 1"),
    "{ } | histogram_over_time(lcp, 3, 2)": (1, 27, "ascend"),
    "{ } | count_over_time() | topk(0)": (1, 27, "1 to 1,000"),
    "{ } | topk(3)": (1, 7, "make some first"),
    "{ } | select(page)": (1, 14, "is of the events"),
    "{ } | count_over_time() by (action, error)": (1, 7, "no event has all"),
    "1 > 2": (1, 3, "bool"),
    "{ }[1ms] | rate()": (1, 5, "from 1s to 400d"),
}
BOUNDS = {
    "{ }" + " " * 5_000: "5,000 characters, not 5,003",
    "!" * 60 + "{ }": "over 25 deep",
    " >> ".join(["{ }"] * 9): "9 sets in a sequence, over 8",
    "{" + " || ".join(["errors=1"] * 101) + "}": "over 100 conditions",
    " + ".join(["({ } | rate())"] * 21): "over 20 figures",
    "{ } | rate() by (" + ",".join(f"session.a{n}" for n in range(7)) + ")": "7 labels",
    "{ } | quantile_over_time(lcp" + ",0.5" * 11 + ")": "11 quantiles, over 10",
    "{ } | histogram_over_time(lcp" + ",1" * 51 + ")": "51 buckets, over 50",
    '{ app = "' + "x" * 1_001 + '" }': "1,000 characters, not 1,001",
}
WORDS = (
    *[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "|",
        "||",
        "&&",
        "!",
        ">>",
        ">",
        "!>>",
        "!>",
        "=",
        "!=",
        "=~",
        "!~",
        "<",
        "<=",
        ">=",
        "==",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        ",",
    ],
    *[
        "by",
        "bool",
        "on",
        "ignoring",
        "group_left",
        "nil",
        "true",
        "false",
        "select",
        "topk",
        "app",
        "page",
        "lcp",
    ],
    *[
        "count_over_time",
        "rate",
        "share_over_time",
        "session.plan",
        "errors",
        "bounce_rate",
    ],
    *[
        '"x"',
        "`y`",
        '"\\u00e9"',
        "1",
        "1h30m",
        "0.5",
        "-1",
        "a:b",
        "#",
        "\n",
        "é",
        "\x00",
        '"',
        "'",
        "\\",
    ],
)


@pytest.mark.parametrize("text", DESIGN)
def test_design_is_understood(text: str) -> None:
    """Every query that the design shows has a plan."""
    assert parse(text).kind == (
        "series" if "|" in text.replace("||", "") else "sessions"
    )


@pytest.mark.parametrize("text", REFUSED)
def test_refusal_points(text: str) -> None:
    """A refusal says where, and what would do; a caret stands under the place."""
    if REFUSED[text] is None:
        parse(text)
        return
    line, column, told = REFUSED[text]

    with pytest.raises(QueryError) as refused:
        parse(text)

    error = refused.value
    assert (error.line, error.column) == (line, column)
    assert told in error.problem
    if text:
        assert error.pointer.split("\n")[1] == " " * (column + 1) + "^"


@pytest.mark.parametrize("text", BOUNDS, ids=BOUNDS.values())
def test_bounds_say_which_and_by_how_much(text: str) -> None:
    """Nothing in a query is without end."""
    with pytest.raises(QueryError) as refused:
        parse(text)

    assert BOUNDS[text] in refused.value.problem


@given(
    st.text(max_size=200) | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
)
def test_any_text_is_understood_or_refused(text: str) -> None:
    """Whatever is sent, nothing else is raised."""
    check(text)


def test_mutants_are_understood_or_refused() -> None:
    """Queries that somebody was typing: cut, doubled, swapped, one character off."""
    dice = random.Random(1)
    texts = [text for _, text, _ in EXAMPLES]
    maker, writer = Maker(dice), Writer(dice)
    texts += [writer.figures(maker.figures()) for _ in range(300)]
    slowest = 0.0
    for _ in range(3_000):
        text = mutate(dice.choice(texts), dice)
        began = time.perf_counter()
        check(text)
        slowest = max(slowest, time.perf_counter() - began)

    assert slowest < 0.5


def mutate(text: str, dice: random.Random) -> str:
    """Change a text a little."""
    for _ in range(dice.randint(1, 3)):
        at, to = sorted(dice.choices(range(len(text) + 1), k=2))
        roll = dice.randrange(4)
        if roll == 0:
            text = text[:at] + text[to:]
        elif roll == 1:
            text = text[:to] + text[at:to] + text[to:]
        elif roll == 2:
            text = text[:at] + dice.choice(WORDS) + text[at:]
        else:
            text = text[:at] + dice.choice(string.printable) + text[at + 1 :]
    return text


def check(text: str) -> None:
    """Read a query; a refusal must point into the text."""
    try:
        parse(text)
    except QueryError as refused:
        error = refused
    else:
        return
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.problem


def test_metrics_are_queries() -> None:
    """Each named metric is a query, and says truly whether it counts."""
    for metric in METRICS.values():
        assert counts(parse(metric.text).figures) is metric.counts, metric.name


def test_metric_is_what_its_text_is() -> None:
    """A name in a query is the query of that name, narrowed and split."""
    named = parse('error_rate { app = "shop" } [1h] by (version)').plan
    told = parse('{ app = "shop" }[1h] | share_over_time(errors > 0) by (version)').plan

    assert named == told


def test_recorded_names_are_left_to_who_records() -> None:
    """A name with a colon is no metric's; labels are compared as in PromQL."""
    plan = parse('shop:sessions:count { browser =~ "C.*" }[5m] by (browser)').plan

    assert isinstance(plan, Recorded)
    assert (plan.name, plan.by, plan.range_ms) == (
        "shop:sessions:count",
        ("browser",),
        300_000,
    )


def test_ranges_are_those_of_the_text() -> None:
    """The longest range is told; without one, whoever asks decides."""
    assert parse("{ } | rate()").range_ms is None
    assert parse("({ }[1h] | rate()) / ({ }[1d] | rate())").range_ms == 86_400_000


class Nothing:
    """A store that is never asked."""

    def evaluate(self, *_: object) -> NoReturn:
        """Answer nothing."""
        raise AssertionError

    def take_notices(self) -> list[str]:
        """Return what to know of figures."""
        return []


def test_numbers_need_no_store() -> None:
    """Arithmetic of numbers is as PromQL's: powers from the right, minus after them."""
    window = Window(0, 1, 0, 0)
    for text, value in {"2 ^ 3 ^ 2": 512, "-2 ^ 2": -4, "7 % -4": 3, "1 - 2 - 3": -4,
                        "2 + 3 * 4": 14, "1 < bool 2": 1, "(1h30m) / 1m": 90}.items():  # fmt: skip
        frame = evaluate(parse(text).figures, window, Nothing(), max_series=1)
        assert frame.series[0].values == [value], text
