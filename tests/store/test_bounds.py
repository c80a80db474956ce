"""Readers are bounded, see their own tenant only, and change nothing."""

import sqlite3
from typing import Any

import pytest

from app.catalog.metrics import METRICS
from app.errors import BadRequest, TooExpensive
from app.sessionql.language import parse
from app.sessionql.plan import EVERYTHING, Compare, Leaf, Not, Text, Window
from app.store import leaf_reader
from app.store import reader as reading
from app.store.seam import Progress, Search
from tests.build import js_error, page_load
from tests.driver import Index, decode
from tests.store.engines import Engine
from tests.store.town import END, NOW, START, WINDOW, fill


def seen(engine: Engine, tenant: str) -> Any:
    """Return all that a tenant's reader can find out."""
    reader = engine.reader(tenant)
    search = Search(WINDOW, limit=100)
    return (
        reader.search(search),
        reader.evaluate(Leaf("count", by=("app", "user")), WINDOW),
        reader.evaluate(Leaf("distinct", "user"), WINDOW),
        reader.evaluate(parse(METRICS["returning_users"].text).figures, WINDOW),
        reader.evaluate(Leaf("active", by=("page",)), WINDOW),
        reader.values("page", WINDOW, EVERYTHING, 100),
        reader.session("shop", "s1"),
        list(reader.events("shop", "s1")[0]),
        reader.sources(),
    )


def test_tenants_never_see_one_another(engine: Engine) -> None:
    """The same source, app, id and user in two tenants are four times two things."""
    known = {"user_id": "u-1"}
    ours = page_load("s1", "13:00", "/ours", **known)
    theirs = [
        *page_load("s1", "12:30", "/secret", **known),
        *js_error("s1", "12:31", "their secret", **known),
        *page_load("s2", "12:00", "/secret", **known),
    ]
    engine.writer("ours").ingest("faro", decode(ours), Progress(1))
    alone = seen(engine, "ours")

    engine.writer("theirs").ingest("faro", decode(theirs), Progress(2))

    assert seen(engine, "ours") == alone
    assert "secret" not in repr(seen(engine, "ours"))
    assert "/ours" not in repr(seen(engine, "theirs"))
    assert len(seen(engine, "theirs")[0].items) == 2
    assert seen(engine, "nobody")[0].total == 0


def test_expiry_is_of_one_tenant(engine: Engine) -> None:
    """Deleting one tenant's sessions leaves another's."""
    for tenant in ("ours", "theirs"):
        engine.writer(tenant).ingest(
            "faro", decode(page_load("s1", "10:00")), Progress(1)
        )
    engine.writer("ours").expire(END)

    assert engine.reader("ours").session("shop", "s1") is None
    assert engine.reader("theirs").session("shop", "s1") is not None


QUESTIONS = {
    "figure": lambda reader: reader.evaluate(Leaf("count", by=("page",)), WINDOW),
    "search": lambda reader: reader.search(Search(WINDOW, Text("a"))),
}


@pytest.mark.parametrize("ask", QUESTIONS)
def test_what_takes_too_long_is_stopped(
    shared: Engine, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question has a time, and the refusal says what to ask instead."""
    monkeypatch.setattr(reading, "_STEPS", 1)
    fill(shared)

    with pytest.raises(TooExpensive, match=r"took over 0 s; ask for less"):
        QUESTIONS[ask](shared.reader(timeout_s=0.0))
    assert QUESTIONS[ask](shared.reader(timeout_s=10.0))


def test_answers_have_a_bound(shared: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many figures are refused, rather than kept in memory."""
    fill(shared)
    monkeypatch.setattr(leaf_reader, "MAX_CELLS", 20)

    with pytest.raises(TooExpensive, match="over 20 figures"):
        shared.reader().evaluate(Leaf("count", by=("page",)), WINDOW)


def test_labels_have_a_bound(shared: Engine) -> None:
    """A figure by everything at once is refused."""
    fill(shared)
    by = ("app", "environment", "version", "browser", "os", "device", "country")

    with pytest.raises(BadRequest, match="at most 6 labels"):
        shared.reader().evaluate(Leaf("count", by=by), WINDOW)


def test_filters_have_a_depth(shared: Engine) -> None:
    """A filter nested without end is refused, and breaks no stack."""
    fill(shared)
    deep: Any = Compare("app", "=", ("shop",))
    for _ in range(60):
        deep = Not(deep)

    with pytest.raises(BadRequest, match="nested"):
        shared.reader().search(Search(WINDOW, deep))


def test_active_sessions_are_known_by_the_minute(shared: Engine) -> None:
    """A finer step is refused, since nothing finer is kept."""
    fill(shared)

    with pytest.raises(BadRequest, match="minute"):
        shared.reader().evaluate(Leaf("active"), Window(START, END, 1_500, NOW))


@pytest.mark.parametrize(
    "statement",
    ["delete from sessions", "drop table views", "pragma query_only = off; delete from x",
     "insert into strings values (1, 'x')", "create table x (y)", "vacuum"],
)  # fmt: skip
def test_readers_cannot_write(index: Index, statement: str) -> None:
    """Even a statement that got through would change nothing."""
    index.ingest(page_load("s1", "10:00"))

    with pytest.raises((sqlite3.Error, sqlite3.Warning)):
        index.reader._db.execute(statement)
    assert len(index.rows()) == 1
