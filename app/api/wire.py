"""Fields of requests: exact about what they take, and how they are documented."""

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields

from app.api.parameters import is_unset, parse_number

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


class Open(Schema):
    """Names that are not listed pass: attributes, and what Grafana adds by and by."""

    class Meta:
        """Read by marshmallow."""

        unknown = INCLUDE
