"""Cohorts: users who come back and groups side by side, counted by other means."""

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from app import create_app
from app.settings import Settings
from tests.api.conftest import Get
from tests.api.shop import HOUR, Shop

MONDAY = 1_762_732_800_000  # 2025-11-10T00:00:00Z, ms
DAY = 24 * HOUR
WEEKS = 4

Visit = tuple[str, str, int, str, bool]  # user, app, begin, version, failed


def invent(seed: int) -> list[Visit]:
    """Invent visits of two months; who came before the range is in it, too."""
    dice = random.Random(seed)
    return [
        (
            f"u{dice.randrange(40)}",
            dice.choice(["shop", "blog"]),
            MONDAY - 14 * DAY + dice.randrange((WEEKS * 7 + 14) * DAY),
            dice.choice(["1.0", "1.1"]),
            dice.random() < 0.2,
        )
        for _ in range(200)
    ]


@pytest.fixture(scope="module")
def visits() -> list[Visit]:
    """Return what happened."""
    return invent(5)


@pytest.fixture(scope="module")
def ask(
    visits: list[Visit], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Ask about four weeks of an index that holds the visits."""
    path = tmp_path_factory.mktemp("cohorts") / "skald.db"
    shop = Shop(path)
    for number, (user, app, at, version, failed) in enumerate(visits):
        shop.visit(
            f"v{number}", at, "/", app=app, user_id=user, version=version,
            error="Oops" if failed else "",
        )  # fmt: skip
    shop.close()
    client = create_app(Settings(index=path)).test_client()

    def asked(path: str, **more: Any) -> Any:
        given = {"from": MONDAY, "to": MONDAY + WEEKS * 7 * DAY, **more}
        response = client.get(f"/api/v1/{path}", query_string=given)
        assert response.status_code == 200, response.get_data()
        return response.get_json()

    return asked


@pytest.mark.parametrize("step", [DAY, 7 * DAY])
def test_retention_is_that_of_the_visits(
    ask: Callable[..., Any], visits: list[Visit], step: int
) -> None:
    """A cohort is of those whose first visit of all fell into its day or week."""
    period = "day" if step == DAY else "week"
    found = ask("retention", period=period, app="shop")

    times = defaultdict(list)
    for user, app, at, _, _ in visits:
        if app == "shop":
            times[user].append(at)
    expected: dict[tuple[int, int], set[str]] = defaultdict(set)
    for user, known in times.items():
        cohort = (min(known) - MONDAY) // step
        for at in known:
            expected[cohort, (at - MONDAY) // step - cohort].add(user)
    for row in found["items"]:
        key = (row["cohort"] - MONDAY) // step, row["period"]
        assert row["users"] == len(expected.get(key, ()))
        assert row["size"] == len(expected.get((key[0], 0), ()))
    assert len(found["items"]) == sum(range(1, WEEKS * 7 * DAY // step + 1))
    came = {user for user, known in times.items() if max(known) >= MONDAY}
    before = {user for user in came if min(times[user]) < MONDAY}
    assert found["earlier"] == len(before)


@pytest.mark.parametrize(
    ("between", "chosen"),
    [
        ("week", lambda at: (at - MONDAY) // DAY % 7 < 5),
        ("version", None),
    ],
)
def test_cohorts_are_compared(
    ask: Callable[..., Any],
    visits: list[Visit],
    between: str,
    chosen: Callable[[int], bool] | None,
) -> None:
    """Both sides hold their own sessions, all of them and no others."""
    sides = {"a": "1.0", "b": "1.1"} if chosen is None else {}
    found = ask("compare", between=between, metric="sessions,error_rate", **sides)

    inside = [each for each in visits if each[2] >= MONDAY]
    left = [
        each
        for each in inside
        if (each[3] == "1.0" if chosen is None else chosen(each[2]))
    ]
    right = [each for each in inside if each not in left]
    sessions, errors = found["items"]
    assert (sessions["a"], sessions["b"]) == (len(left), len(right))
    assert sessions["change"] == pytest.approx((len(right) - len(left)) / len(left))
    for side, those in (("a", left), ("b", right)):
        rate = sum(each[4] for each in those) / len(those)
        assert errors[side] == pytest.approx(rate)


def test_new_and_returning_visitors_are_all(
    ask: Callable[..., Any], visits: list[Visit]
) -> None:
    """A session is of a new visitor when it is the first of its user and app."""
    found = ask("compare", between="visitors", metric="sessions")["items"][0]

    firsts: dict[tuple[str, str], int] = {}
    for user, app, at, _, _ in visits:
        firsts[user, app] = min(at, firsts.get((user, app), at))
    inside = [each for each in visits if each[2] >= MONDAY]
    new = sum(firsts[user, app] == at for user, app, at, _, _ in inside)
    assert (found["a"], found["b"]) == (new, len(inside) - new)


def test_a_range_is_compared_with_the_one_before(
    ask: Callable[..., Any], visits: list[Visit]
) -> None:
    """As long a time, up to the begin of this one."""
    start = MONDAY + 14 * DAY
    found = ask("compare", metric="sessions", **{"from": start})

    sides = [
        sum(begin <= each[2] < begin + 14 * DAY for each in visits)
        for begin in (MONDAY, start)
    ]
    assert [found["items"][0][side] for side in "ab"] == sides
    assert found["a"]["to"] == found["b"]["from"] == start


def test_rows_say_what_is_compared_and_have_units(get: Get) -> None:
    """Rows of a table name the two first, and their figures are written for people."""
    named, *rows = get("compare", format="rows", between="version", a="1.0", b="1.1")
    others = get("compare", format="rows")

    assert (named["label"], named["text_a"], named["text_b"]) == ("Version", "1.0", "1.1")  # fmt: skip
    written = {row["metric"]: (row["b"], row["text_b"]) for row in rows}
    share, text = written["error_rate"]
    assert text == f"{share * 100:.3g} %"
    assert written["sessions"] == (written["sessions"][0], str(written["sessions"][0]))
    assert all(each["metric"] for each in others)


def test_figures_are_rated(get: Get) -> None:
    """The benchmarks of the catalog name the band of a figure."""
    rows = get("compare", format="rows", between="version", a="1.0", b="1.1")

    bands = {row["metric"]: (row["band_a"], row["band_b"]) for row in rows}
    assert bands["error_rate"] == ("excellent", "critical")
    assert bands["sessions"] == ("", "")


def test_wrong_cohorts_are_refused(refuse: Get) -> None:
    """What cannot be compared is said, with what could be."""
    assert "did you mean 'version'?" in refuse("compare", between="verson")
    assert "give 'a' and 'b'" in refuse("compare", between="environment")
    assert "at most 100" in refuse("retention", period="day", **{"from": "2020-01-01"})
    assert "did you mean 'week'?" in refuse("retention", period="weak")
