"""The design's examples, and the questions of dashboards, on recorded sessions.

Every answer was counted by hand in what the driver of the browser wrote down: pages in
order, actions, errors and users of each of the 33 sessions.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from app.sessionql.evaluate import instant
from app.sessionql.language import parse
from app.sessionql.plan import Window
from app.store.seam import Search
from tests.corpus.corpus import entries
from tests.driver import Index

END = 1_795_166_400_000
HOUR = 3_600_000
OK = {"WWpKLDf8PM", "jKuNTUJvam"}  # bought
FAILED, LEFT = "KuWuaax6R4", "chToLwRwqr"  # paid in vain; left at the address

SESSIONS: dict[str, set[str]] = {
    '{ app="tealeaf-shop" && environment="production" && errors > 0 }': {
        FAILED, "2EXw8eMhQR", "VwedG4WoyB", "rR0Se0XZ2T"},
    '{ page="/cart" } >> { page="/checkout/payment" }': {*OK, FAILED},
    '{ page="/cart" } > { page="/checkout/address" }': {*OK, FAILED, LEFT},
    '{ page="/cart" } > { page="/checkout/payment" }': set(),
    '{ page="/cart" } !>> { page="/checkout/payment" }': {LEFT},
    '{ page="/checkout/review" } !> { page=~"/orders/.+" }': {FAILED},
    '{ page="/products/sencha-01" && action="wishlist_add" }': {"rqmPzfbnHc"},
    '{ "PAYMENT failed" }': {FAILED},
    '{ user.plan = "gold" && event.sku =~ "sencha-.*" }': {"jKuNTUJvam"},
    '{ user = "u-1001" }': {"jKuNTUJvam", "EGAbH8j6sL", "jsvWechihG"},
    '{ page = "/products" } > { page = "/products" }': {"4xqsP6R9no"},
    '{ page = "/products" } > { page = "/products" } > { page = "/products" }': {
        "4xqsP6R9no"},
    '{ action = "cart_add" } !>> { action = "checkout-continue" }': {LEFT},
    '{ page = "/account/login" } >> { action = "logout" }': {"EGAbH8j6sL"},
    '{ error = "PaymentError" && page = "/checkout/payment" }': {FAILED},
    "{ failed_requests > 0 }": {FAILED, "rR0Se0XZ2T"},
    '{ page =~ "/blog/.*" } && !{ page = "/" }': {"G4HGgnVfwD"},
}  # fmt: skip
FIGURES: dict[str, dict[str, float]] = {
    '{ app="tealeaf-shop" } | count_over_time() by (browser)': {
        "Chrome": 16, "Safari": 5, "Firefox": 4, "Edge": 3, "Opera": 1},
    '{ environment="production" } | share_over_time(errors > 0) by (app)': {
        "tealeaf-shop": 4 / 28, "tealeaf-docs": 0},
    "{ } | active_over_time()": {"": 33},
    "{ } | distinct_over_time(user)": {"": 2},
    "({ errors > 0 } | count_over_time()) / ({ } | count_over_time())": {"": 4 / 33},
    '{ app="tealeaf-shop" }[1h] | avg_over_time(views) > 2': {"": 67 / 29},
    '{ app="tealeaf-shop" }[1h] | avg_over_time(views) > 3': {},
    '{ app="tealeaf-shop" } | count_over_time() by (entry) | topk(3)': {
        "/": 13, "/products": 4, "/account/login": 4},
    "{ } | quantile_over_time(views, 0.5, 1)": {"0.5": 2, "1": 7},
    "{ } | quantile_over_time(views, 0.5, 1) by (app)": {
        "tealeaf-shop, 0.5": 2, "tealeaf-shop, 1": 7,
        "tealeaf-docs, 0.5": 1, "tealeaf-docs, 1": 3},
    "bounce_rate": {"": 16 / 33},
    "{ } | share_over_time(page =~ '/checkout/.*')": {"": 4 / 33},
    '{ } | share_over_time({ page="/cart" } >> { page=~"/orders/.*" })': {"": 2 / 33},
    '{ page="/checkout/payment" } > { } | count_over_time() by (page)': {
        "/checkout/review": 3},
    "{ } | sum_over_time(errors) by (status)": {"errored": 5, "healthy": 0},
    "{ } | sum_over_time(actions) by (action) | topk(1)": {"login": 9},
    "{ } | sum_over_time(views) by (app)": {"tealeaf-shop": 67, "tealeaf-docs": 6},
    "views_per_session by (app)": {"tealeaf-shop": 67 / 29, "tealeaf-docs": 6 / 4},
    "{ returning = true } | distinct_over_time(user)": {"": 2},
    "{ } | rate() * 3600": {"": 33},
}  # fmt: skip


@pytest.fixture(scope="module", params=("lines", "lines-otel"))
def corpus(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Index]:
    """Return the index of one dialect's lines."""
    index = Index(tmp_path_factory.mktemp("corpus") / "skald.db")
    index.feed(entries(request.param))
    index.backfill()
    yield index
    index.close()


@pytest.mark.parametrize("text", SESSIONS)
def test_sessions_are_those_of_the_driver(corpus: Index, text: str) -> None:
    """A selection finds the sessions that did so, and no other."""
    window = Window(END - HOUR, END, 0, END)
    selector = parse(text).sessions.selector

    found = corpus.reader.search(Search(window, selector, limit=100)).items

    assert {each["id"] for each in found} == SESSIONS[text]


@pytest.mark.parametrize("text", FIGURES)
def test_figures_are_those_counted_by_hand(corpus: Index, text: str) -> None:
    """A figure of the last hour is what the driver's notes add up to."""
    frame = instant(
        parse(text), END, corpus.reader, default_range_ms=HOUR, max_series=100
    )

    told = {", ".join(each.labels): each.values[0] for each in frame.series}
    assert told == pytest.approx(FIGURES[text])
