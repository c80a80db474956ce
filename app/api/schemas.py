"""Say what a question may consist of: names from the catalog, bounds, help."""

from marshmallow import Schema

from app.api.wire import Open, Texts, Whole
from app.catalog.fields import FIELDS, Field
from app.catalog.metrics import METRICS

GRAMMAR = (
    'Values: `a`; several as `a,b`, `{a,b}`, `(a|b)`, `a|b`, `["a","b"]` or by '
    "repeating the parameter (any of them); `!a` none of them; `~re` and `!~re` a "
    "regular expression for the whole value; numbers and times also `>5`, `>=5`, `<5`, "
    "`<=5` and `1..5` (both included). JSON is taken literally. What Grafana leaves "
    "uninterpolated (`$app`, `${app:csv}`, `$__all`, `*`, `.*`, nothing) is not set."
)


def _filter(field: Field) -> Texts:
    unit = f" ({field.unit})" if field.unit not in {"", "short", "none"} else ""
    return Texts(f"{field.label}{unit}: {field.help} A filter: see the description.")


_RANGE = {
    "from": Texts(
        "Begin, included: ms or s since 1970, ISO 8601, `now-6h`. Default: 6 h before `to`."
    ),
    "to": Texts("End, excluded. Default: now."),
}
_FILTERS = {name: _filter(field) for name, field in FIELDS.items()}
_TEXT = {
    "text": Texts("Sought in pages, errors, actions, users and attributes; no case.")
}
_QUERY = {
    "q": Texts(
        'A query in SessionQL, in place of a metric: `{ app="shop" } |'
        " count_over_time() by (browser)`. Filters and `by` narrow and split it further."
    )
}
_SELECTION = {
    "q": Texts('A selection in SessionQL: `{ page="/cart" } !>> { page="/checkout" }`.')
}
_FIGURES = {
    **_QUERY,
    "metric": Texts(
        "One or several metrics. Default: sessions.", choices=tuple(METRICS)
    ),
    "by": Texts(
        "Fields to group by, at most 5; also attributes such as `session.plan`.",
        choices=tuple(name for name, field in FIELDS.items() if field.groups),
    ),
}

QuerySchema: type[Schema] = Open.from_dict(
    {
        **_FIGURES,
        **_RANGE,
        "limit": Whole("Rows, largest first.", 1, 10_000),
        **_TEXT,
        **_FILTERS,
    },
    name="QuerySchema",
)
QueryRangeSchema: type[Schema] = Open.from_dict(
    {
        **_FIGURES,
        **_RANGE,
        "step": Texts(
            "Width of a bucket: `30s`, `1m`, or ms. Rounded up to whole seconds, for "
            "active sessions to whole minutes. Default: a round figure for `max_points`."
        ),
        "max_points": Whole("Buckets of one series, about.", 1, 11_000),
        "limit": Whole("Series, largest first.", 1, 1_000),
        **_TEXT,
        **_FILTERS,
    },
    name="QueryRangeSchema",
)
SessionsSchema: type[Schema] = Open.from_dict(
    {
        **_SELECTION,
        **_RANGE,
        "sort": Texts(
            "A field of sessions; `-` before it for descending. Default: -start."
        ),
        "order": Texts("`asc` or `desc`, in place of the sign of `sort`."),
        "limit": Whole("Sessions in one answer. Default: 50.", 1, 1_000),
        "cursor": Texts("The `next_cursor` of the answer before."),
        "format": Texts(
            "`page` (default), or `rows`: just the sessions, as Infinity likes."
        ),
        **_TEXT,
        **_FILTERS,
    },
    name="SessionsSchema",
)
VariablesSchema: type[Schema] = Open.from_dict(
    {
        "from": Texts("Begin, included. Default: 7 days before `to`."),
        "to": Texts("End, excluded. Default: now."),
        "limit": Whole("Values, most frequent first. Default: 1000.", 1, 1_000),
        "any": Texts("Value of a first option that stands for any, such as `*`."),
        **_TEXT,
        **_FILTERS,
    },
    name="VariablesSchema",
)


def question(name: str, **own: Texts | Whole) -> type[Schema]:
    """Return the schema of a question about sessions: *own*, a range, text, filters."""
    return Open.from_dict({**own, **_RANGE, **_TEXT, **_FILTERS}, name=name)


NothingSchema: type[Schema] = Open.from_dict({}, name="NothingSchema")
