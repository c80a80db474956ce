"""Every operator on every field finds exactly the sessions that have what is asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.catalog.fields import FIELDS, Field, find
from app.errors import BadRequest
from app.sessionql.plan import And, Compare, Filter, Not, Or, Text
from app.store.seam import Reader, Search
from tests.driver import pages_of
from tests.store.engines import Engine
from tests.store.plain import Known, matches
from tests.store.town import WINDOW, fill, town

ATTRIBUTES = ("session.ab_test", "session.plan", "page.title", "event.sku")
NAMES = [*FIELDS, *ATTRIBUTES]
TEXT_OPS = ("=", "!=", "=~", "!~", "<", "<=", ">", ">=")
NUMBER_OPS = ("=", "!=", "<", "<=", ">", ">=")


@pytest.fixture(scope="module")
def both(shared: Engine) -> tuple[Reader, list[Known]]:
    """Return the engine, filled, and the same sessions in a list."""
    fill(shared)
    reader = shared.reader()
    return reader, town(reader)


def found(reader: Reader, part: Filter) -> set[str]:
    """Return the ids that a search finds."""
    return {row["id"] for row in pages_of(reader, Search(WINDOW, part, limit=500))}


def by_hand(sessions: list[Known], part: Filter) -> set[str]:
    """Return the ids of the sessions that have *part*."""
    return {known.facts["id"] for known in sessions if matches(part, known)}


def values_of(sessions: list[Known], field: Field) -> list[Any]:
    """Return some values that the field has, ends and middle, and one that it has not."""
    name, scope = field.name, field.scope
    if scope == "attribute":
        told = [known.attributes.get(name) for known in sessions]
    elif scope == "session":
        told = [known.facts[name] for known in sessions]
    else:
        told = [event[name] for known in sessions for event in known.events[scope]]
    said = sorted({value for value in told if value is not None})
    strange = "no such thing" if field.type == "string" else 123_456_789.25
    return [*said[:1], *said[len(said) // 2 :][:1], *said[-1:], strange]


def comparisons(field: Field, values: list[Any]) -> Iterator[Compare]:
    """Yield every operator with every kind of value."""
    is_text = field.type == "string"
    for op in TEXT_OPS if is_text else NUMBER_OPS:
        for value in values:
            yield Compare(field.name, op, (patterned(op, value),))
    yield Compare(field.name, "=", tuple(values[:2]))
    yield Compare(field.name, "!=", tuple(values[:2]))
    if is_text:
        yield Compare(field.name, "=~", (".*a.*|[0-9]+",))
        yield Compare(field.name, "!~", ("(?i).*A",))


def patterned(op: str, value: Any) -> Any:
    """Return what the operator takes: a pattern starts like the value."""
    return f"{value[:3]}.*".replace("(", ".") if op in {"=~", "!~"} else value


@pytest.mark.parametrize("name", NAMES)
def test_filter_finds_what_has_it(both: tuple[Reader, list[Known]], name: str) -> None:
    """One field, by every operator."""
    reader, sessions = both
    field = find(name)
    assert field is not None
    wrong = [
        asked
        for asked in comparisons(field, values_of(sessions, field))
        if found(reader, asked) != by_hand(sessions, asked)
    ]

    assert wrong == []


def test_what_is_not_said_is_empty(both: tuple[Reader, list[Known]]) -> None:
    """A session that says nothing of a field has the empty string there."""
    reader, sessions = both
    for name in ("country", "user", "referrer", "previous", "environment"):
        for op in ("=", "!=", "=~", "!~"):
            asked = Compare(name, op, ("",))
            assert found(reader, asked) == by_hand(sessions, asked), (name, op)


TEXTS = ("checkout", "CART", "TypeError", "%", "_", "\\", "payment", "é", "zzz", "")


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_found_anywhere(both: tuple[Reader, list[Known]], text: str) -> None:
    """Free text looks at pages, errors, actions, users and attributes; no case."""
    reader, sessions = both
    asked = Text(text)

    assert found(reader, asked) == by_hand(sessions, asked)


def test_text_finds_a_session_by_its_id(both: tuple[Reader, list[Known]]) -> None:
    """Whoever pastes a session's id gets that session."""
    reader, sessions = both
    wanted = sessions[0].facts["id"]

    assert found(reader, Text(wanted)) == {wanted}


def test_filters_combine(both: tuple[Reader, list[Known]]) -> None:
    """And, or, not: nested as one likes."""
    reader, sessions = both
    cart, mobile = Compare("page", "=", ("/cart",)), Compare("device", "=", ("mobile",))
    failed = Compare("errors", ">", (0,))
    for asked in (
        And((cart, mobile)),
        Or((cart, mobile, failed)),
        Not(cart),
        Not(Compare("bounced", "=", (True,))),
        And((Or((cart, failed)), Not(And((mobile, Text("a")))))),
        And(()),
        Or(()),
    ):
        assert found(reader, asked) == by_hand(sessions, asked), asked


def test_nothing_breaks_out_of_a_value(both: tuple[Reader, list[Known]]) -> None:
    """Values are bound: quotes and comments are characters like others."""
    reader, _ = both
    for hostile in (
        "' or 1=1 --",
        "x); drop table sessions",
        "\0",
        "\ud800",
        "%" * 500,
    ):
        assert found(reader, Compare("browser", "=", (hostile,))) == set()
        assert found(reader, Text(hostile)) == set()


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "(?<x>a)\\k<x>", "a" * 2_000])
def test_bad_pattern_is_refused(both: tuple[Reader, list[Known]], pattern: str) -> None:
    """A pattern that is none is said to be so, before anything is searched."""
    with pytest.raises(BadRequest, match="pattern"):
        found(both[0], Compare("page", "=~", (pattern,)))


def test_no_pattern_takes_long(both: tuple[Reader, list[Known]]) -> None:
    """A pattern that would keep other engines busy for years is answered at once."""
    evil = Compare("page", "=~", ("(/|.*.*)*(a+)+$",))

    assert isinstance(found(both[0], evil), set)


@pytest.mark.parametrize("op", ["=~", "!~"])
def test_number_has_no_pattern(both: tuple[Reader, list[Known]], op: str) -> None:
    """A pattern on a number is refused, and so is text."""
    with pytest.raises(BadRequest, match="number"):
        found(both[0], Compare("views", op, ("1",)))
    with pytest.raises(BadRequest, match="number"):
        found(both[0], Compare("views", ">", ("many",)))
