"""Say what the JSON data source sends, of all versions together."""

from marshmallow import Schema, fields

from app.api.wire import Instant, Open

# Grafana's time range; its ``raw`` is never used, it depends on the time zone.
RangeSchema: type[Schema] = Open.from_dict(
    {"from": Instant(), "to": Instant()}, name="RangeSchema"
)


class AdHocSchema(Open):
    """One ad hoc filter."""

    key = fields.String(required=True)
    operator = fields.String(allow_none=True)
    value = fields.Raw(allow_none=True)
    values = fields.List(fields.Raw(allow_none=True), allow_none=True)


class TargetSchema(Open):
    """One query of a panel."""

    target = fields.String(allow_none=True)
    refId = fields.String(allow_none=True)  # noqa: N815
    hide = fields.Raw(allow_none=True)
    type = fields.String(allow_none=True)
    payload = fields.Raw(allow_none=True)
    data = fields.Raw(allow_none=True)


class PanelSchema(Open):
    """What the JSON data source sends for a panel."""

    range = fields.Nested(RangeSchema, allow_none=True)
    intervalMs = fields.Raw(allow_none=True)  # noqa: N815
    maxDataPoints = fields.Raw(allow_none=True)  # noqa: N815
    targets = fields.List(fields.Nested(TargetSchema), allow_none=True)
    scopedVars = fields.Dict(allow_none=True)  # noqa: N815
    filters = fields.List(fields.Nested(AdHocSchema), allow_none=True)
    adhocFilters = fields.List(fields.Nested(AdHocSchema), allow_none=True)  # noqa: N815


class VariableSchema(Open):
    """What the JSON data source sends for a variable."""

    payload = fields.Raw(allow_none=True)
    range = fields.Nested(RangeSchema, allow_none=True)


class BuilderSchema(Open):
    """What the query builder sends about the query that is being built."""

    metric = fields.Raw(allow_none=True)
    payload = fields.Raw(allow_none=True)
    name = fields.String(allow_none=True)


class SearchSchema(Open):
    """What old data sources send to list metrics or the values of a variable."""

    target = fields.Raw(allow_none=True)


class TagsSchema(Open):
    """What the ad hoc filter asks."""

    key = fields.String(allow_none=True)
    filters = fields.List(fields.Nested(AdHocSchema), allow_none=True)
    timeRange = fields.Nested(RangeSchema, allow_none=True)  # noqa: N815


class AnnotationsSchema(Open):
    """What old data sources send for annotations."""

    annotation = fields.Dict(allow_none=True)
    range = fields.Nested(RangeSchema, allow_none=True)
