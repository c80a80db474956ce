"""Say what requests and answers look like: fields exact, names from the catalog."""

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields

from app.api.parameters import is_unset, parse_number
from app.catalog.fields import FIELDS, Field
from app.catalog.metrics import METRICS

GRAMMAR = (
    'Values: `a`; several as `a,b`, `{a,b}`, `(a|b)`, `a|b`, `["a","b"]` or by '
    "repeating the parameter (any of them); `!a` none of them; `~re` and `!~re` a "
    "regular expression for the whole value; numbers and times also `>5`, `>=5`, `<5`, "
    "`<=5` and `1..5` (both included). JSON is taken literally. What Grafana leaves "
    "uninterpolated (`$app`, `${app:csv}`, `$__all`, `*`, `.*`, nothing) is not set."
)
_SCALAR: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "null"},
]


class Texts(fields.Field[list[Any]]):
    """Values as they came: one or several, scalars only.

    Grafana makes text of numbers, numbers of text and lists of one thing, so their
    types are checked later, where the catalog says what a field holds.
    """

    def __init__(self, help_text: str, choices: tuple[str, ...] = ()) -> None:
        several = {"type": "array", "items": {"anyOf": _SCALAR}}
        shape = {"anyOf": [*_SCALAR, several], "description": help_text}
        super().__init__(metadata=shape, allow_none=True)
        self.help_text, self.choices = help_text, choices

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002
        data: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> list[Any]:
        values = value if isinstance(value, list) else [value]
        if any(isinstance(each, (dict, list)) for each in values):
            raise ValidationError(
                "give text, a number, true or false, or a list of them"
            )
        return values

    def parameter(self) -> dict[str, Any]:
        """Describe it as a parameter of a URL, which may be repeated."""
        items: dict[str, Any] = {"type": "string"}
        if self.choices:
            items["enum"] = list(self.choices)
        return {"type": "array", "items": items}


class Whole(fields.Field[list[int]]):
    """A whole number within bounds; ``758.0`` is one, ``2.6e-42`` and ``true`` are not.

    Text is accepted, since a URL has nothing else.
    """

    def __init__(self, help_text: str, low: int, high: int) -> None:
        bounds = {"type": "integer", "minimum": low, "maximum": high}
        super().__init__(metadata={**bounds, "description": help_text}, allow_none=True)
        self.help_text, self.low, self.high = help_text, low, high

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002
        data: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> list[int]:
        values = value if isinstance(value, list) else [value]
        return [self._read(each) for each in values if not _says_nothing(each)][-1:]

    def _read(self, value: Any) -> int:
        is_number = isinstance(value, (int, float, str)) and not isinstance(value, bool)
        number = parse_number(str(value)) if is_number else None
        if (
            number is None
            or number != int(number)
            or not self.low <= number <= self.high
        ):
            raise ValidationError(f"give a whole number from {self.low} to {self.high}")
        return int(number)

    def parameter(self) -> dict[str, Any]:
        """Describe it as a parameter of a URL."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


def _says_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and is_unset(value))


def query_parameters(schema: Any) -> list[dict[str, Any]]:
    """Describe the fields of *schema* as parameters of a URL."""
    described = []
    for name, field in schema().fields.items():
        parameter = {"in": "query", "name": name, "schema": field.parameter()}
        if isinstance(field, Texts):
            parameter |= {"style": "form", "explode": True}
        described.append({**parameter, "description": field.help_text})
    return described


class _Open(Schema):
    """Names that are not listed pass: attributes, and what Grafana adds by and by."""

    class Meta:
        unknown = INCLUDE


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
_FIGURES = {
    "metric": Texts(
        "One or several metrics. Default: sessions.", choices=tuple(METRICS)
    ),
    "by": Texts(
        "Fields to group by, at most 5; also attributes such as `session.plan`.",
        choices=tuple(name for name, field in FIELDS.items() if field.groups),
    ),
}

QuerySchema: type[Schema] = _Open.from_dict(
    {
        **_FIGURES,
        **_RANGE,
        "limit": Whole("Rows, largest first.", 1, 10_000),
        **_TEXT,
        **_FILTERS,
    },
    name="QuerySchema",
)
QueryRangeSchema: type[Schema] = _Open.from_dict(
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
SessionsSchema: type[Schema] = _Open.from_dict(
    {
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
VariablesSchema: type[Schema] = _Open.from_dict(
    {
        "from": Texts("Begin, included. Default: 7 days before `to`."),
        "to": Texts("End, excluded. Default: now."),
        "limit": Whole("Values, most frequent first. Default: 1000.", 1, 1_000),
        **_TEXT,
        **_FILTERS,
    },
    name="VariablesSchema",
)
NothingSchema: type[Schema] = _Open.from_dict({}, name="NothingSchema")


class OptionSchema(Schema):
    """One value of a variable."""

    text = fields.String(data_key="__text", required=True)
    value = fields.String(data_key="__value", required=True)


ROWS = {"type": "array", "items": {"type": "object"}}
FOUND = {
    "oneOf": [
        {
            "type": "object",
            "required": ["items", "next_cursor", "total"],
            "properties": {
                "items": ROWS,
                "next_cursor": {"type": ["string", "null"]},
                "total": {"type": "integer"},
            },
        },
        ROWS,
    ]
}


class Instant(fields.Field[str | float]):
    """An instant in text or as a number; read later, when it is known what is now."""

    def __init__(self, **more: Any) -> None:
        shape = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}
        super().__init__(allow_none=True, metadata=shape, **more)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002
        data: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> str | float:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValidationError("give text or a number")
        return value


# Grafana's time range; its ``raw`` is never used, it depends on the time zone.
RangeSchema: type[Schema] = _Open.from_dict(
    {"from": Instant(), "to": Instant()}, name="RangeSchema"
)


class AdHocSchema(_Open):
    """One ad hoc filter."""

    key = fields.String(required=True)
    operator = fields.String(allow_none=True)
    value = fields.Raw(allow_none=True)
    values = fields.List(fields.Raw(allow_none=True), allow_none=True)


class TargetSchema(_Open):
    """One query of a panel."""

    target = fields.String(allow_none=True)
    refId = fields.String(allow_none=True)  # noqa: N815
    hide = fields.Raw(allow_none=True)
    type = fields.String(allow_none=True)
    payload = fields.Raw(allow_none=True)
    data = fields.Raw(allow_none=True)


class PanelSchema(_Open):
    """What the JSON data source sends for a panel."""

    range = fields.Nested(RangeSchema, allow_none=True)
    intervalMs = fields.Raw(allow_none=True)  # noqa: N815
    maxDataPoints = fields.Raw(allow_none=True)  # noqa: N815
    targets = fields.List(fields.Nested(TargetSchema), allow_none=True)
    scopedVars = fields.Dict(allow_none=True)  # noqa: N815
    filters = fields.List(fields.Nested(AdHocSchema), allow_none=True)
    adhocFilters = fields.List(fields.Nested(AdHocSchema), allow_none=True)  # noqa: N815


class VariableSchema(_Open):
    """What the JSON data source sends for a variable."""

    payload = fields.Raw(allow_none=True)
    range = fields.Nested(RangeSchema, allow_none=True)


class BuilderSchema(_Open):
    """What the query builder sends about the query that is being built."""

    metric = fields.Raw(allow_none=True)
    payload = fields.Raw(allow_none=True)
    name = fields.String(allow_none=True)


class SearchSchema(_Open):
    """What old data sources send to list metrics or the values of a variable."""

    target = fields.Raw(allow_none=True)


class TagsSchema(_Open):
    """What the ad hoc filter asks."""

    key = fields.String(allow_none=True)
    filters = fields.List(fields.Nested(AdHocSchema), allow_none=True)
    timeRange = fields.Nested(RangeSchema, allow_none=True)  # noqa: N815


class AnnotationsSchema(_Open):
    """What old data sources send for annotations."""

    annotation = fields.Dict(allow_none=True)
    range = fields.Nested(RangeSchema, allow_none=True)
