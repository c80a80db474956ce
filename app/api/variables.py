"""List the values of a field, for the variables of a dashboard."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from app import clock
from app.api.answers import OptionSchema
from app.api.asking import lay_rows
from app.api.blueprint import Blueprint
from app.api.parameters import text_of
from app.api.questions import (
    WORDS,
    Asked,
    Problems,
    nearest,
    read_range,
    read_selector,
    whole,
)
from app.api.schemas import GRAMMAR, VariablesSchema
from app.api.service import reader
from app.catalog.fields import FIELDS, Field, find
from app.catalog.metrics import METRICS
from app.errors import NotFound
from app.sessionql.plan import Filter, Window
from app.store.insight_seam import Ranking
from app.store.seam import Reader, Search

blp = Blueprint("variables", __name__, url_prefix="/api/v1", description="Variables.")

VARIABLE_WORDS = WORDS | {"limit", "any"}
LIMIT = 1_000
NEWEST = 100  # sessions listed
PROBLEMS = 200  # errors listed
MAX_TEXT = 80
RANGE = 7 * 86_400_000  # ms; a variable should not miss who was not here this morning

PLURALS = {
    name[:-1] + "ies" if name.endswith("y") else name + "s": name for name in FIELDS
} | {
    "countries": "country",
    "statuses": "status",
    "entries": "entry",
    "exits": "exit",
}


@blp.route("/variables/<name>", methods=["GET", "POST"])
@blp.arguments(VariablesSchema, location="query")
@blp.doc(
    description=(
        "Values of a field in the sessions of the range, most frequent first; filters "
        "on other fields chain variables; of `id` the newest, of `fingerprint` what errors say. `metrics` and `fields` list what can be asked. "
        f"At least one row, since Infinity fails on none. {GRAMMAR}"
    )
)
@blp.response(200, OptionSchema(many=True))
def list_values(asked: Asked, name: str) -> Response:
    """List the values of a variable."""
    options = list_options(name, asked, reader())
    first = [("(any)", text_of(asked["any"][-1]))] if asked.get("any") else []
    shown = [*first, *options] or [("(none)", "")]
    rows = [{"__text": text, "__value": value} for text, value in shown]
    return lay_rows(rows, tell_cut(name, asked, len(options)))


def tell_cut(name: str, asked: Asked, count: int) -> list[str]:
    """Say that there may be more values than are listed."""
    if name in _DECLARED:
        return []
    field = variable(name).name
    most = min(
        whole(asked, "limit", LIMIT),
        {"id": NEWEST, "fingerprint": PROBLEMS}.get(field, LIMIT),
    )
    chosen = "newest" if field == "id" else "most frequent"
    return [f"showing {count} values, the {chosen}"] if count >= most else []


def list_options(name: str, asked: Asked, index: Reader) -> list[tuple[str, str]]:
    """List (text, value) of the variable *name*.

    Raises:
        NotFound: there is no such variable.
        BadRequest: a filter cannot be meant.
    """
    if name in _DECLARED:
        return _DECLARED[name]
    field = variable(name)
    at, problems = clock.now(), Problems()
    # A variable is not narrowed by itself, or there would be no way back.
    others = {key: value for key, value in asked.items() if key != field.name}
    selector = read_selector(others, at, VARIABLE_WORDS, problems)
    span = (0, 1)
    with problems.noted():
        span = read_range(asked, at, RANGE)
    problems.tell()
    limit = whole(asked, "limit", LIMIT)
    if field.name == "fingerprint":
        return list_problems(span, selector, index, min(limit, PROBLEMS))
    return [(value, value) for value in list_tags(field, span, selector, index, limit)]


def list_problems(
    span: tuple[int, int], selector: Filter, index: Reader, limit: int
) -> list[tuple[str, str]]:
    """List errors, most frequent first: what they say, and their fingerprints."""
    window = Window(*span, 0, clock.now())
    found = index.problems(Ranking(window, selector, "count", limit=limit)).items
    texts = [_said(row) for row in found]
    options = []
    for text, row in zip(texts, found, strict=True):
        # Grafana shows options of the same text once.
        more = f" ({row['fingerprint'][:6]})" if texts.count(text) > 1 else ""
        options.append((text + more, row["fingerprint"]))
    return options


def _said(problem: Mapping[str, Any]) -> str:
    parts = (problem["type"], problem["message"])
    return ": ".join(filter(None, parts))[:MAX_TEXT] or str(problem["fingerprint"])


def list_tags(
    field: Field,
    span: tuple[int, int],
    selector: Filter,
    index: Reader,
    limit: int = LIMIT,
) -> list[str]:
    """List the values of *field* in sessions that began in *span*, most frequent first.

    A number has too many to be worth a list; of ids the newest are.
    """
    if field.type == "boolean":
        return ["true", "false"]
    window = Window(*span, 0, clock.now())
    if field.name == "id":
        limit = min(limit, NEWEST)
        newest = index.search(Search(window, selector, limit=limit, is_counted=False))
        return list(dict.fromkeys(each["id"] for each in newest.items))
    if not field.groups and field.scope != "attribute":
        return []
    found = index.values(field.name, window, selector, limit)
    return [value for value, _ in found if value]


def variable(name: str) -> Field:
    """Return the field that a variable lists; ``apps`` means ``app``.

    Raises:
        NotFound: there is none.
    """
    field = find(PLURALS.get(name, name))
    if field is None:
        known = frozenset(FIELDS) | frozenset(_DECLARED)
        raise NotFound(f"no variable {name[:60]!r}{nearest(name, known)}")
    return field


_DECLARED = {
    "metrics": [(each.label, each.name) for each in METRICS.values()],
    "fields": [(each.label, each.name) for each in FIELDS.values() if each.groups],
}
