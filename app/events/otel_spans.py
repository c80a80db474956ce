"""Decode spans and log records of OpenTelemetry that tell of language models.

Attributes stand in the line, as an object or as OTLP's list of pairs, or in Loki's
structured metadata, where dots became underscores.
Source: langfuse packages/shared/src/server/otel/OtelIngestionProcessor.ts (which names
are heard, and over which).
"""

from collections.abc import Mapping
from typing import Any

import orjson

from app.events import clean
from app.events.decoder import MAX_NAME, MAX_TEXT
from app.events.langfuse_usage import MOST_TOKENS, cost_of, parsed, tokens_of
from app.events.lines import (
    Fields,
    Told,
    any_text,
    attributes,
    instant,
    key_of,
    otlp_attributes,
    section,
    text,
    whole,
)
from app.events.money import pico_usd
from app.events.unreadable import Unreadable
from app.model import Context, Kind, Labels

NS = 1_000_000  # in a millisecond
MAX_TAGS = 32

_SESSION = (
    "langfuse.session.id", "session.id", "gen_ai.conversation.id",
    "langfuse.observation.metadata.langfuse_session_id",
    "langfuse.trace.metadata.langfuse_session_id", "ai.telemetry.metadata.sessionId",
    "session_id", "thread_id",
)  # fmt: skip
_USER = (
    "langfuse.user.id", "user.id", "langfuse.observation.metadata.langfuse_user_id",
    "langfuse.trace.metadata.langfuse_user_id", "ai.telemetry.metadata.userId",
    "enduser.id",
)  # fmt: skip
_MODEL = (
    "langfuse.observation.model.name", "gen_ai.response.model", "ai.model.id",
    "gen_ai.request.model", "llm.response.model", "llm.model_name", "model",
)  # fmt: skip
_INPUT = (
    "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
)  # fmt: skip
_OUTPUT = (
    "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
)  # fmt: skip
_ENVIRONMENT = (
    "langfuse.environment", "deployment.environment.name", "deployment.environment",
)  # fmt: skip
_RELEASE = ("langfuse.release", "langfuse.version", "service.version")
_METADATA = "langfuse.trace.metadata"
_IDS = frozenset({"langfuse_session_id", "langfuse_user_id"})
# What an agent is said to have used, its children have used.
_AGGREGATES = frozenset({"invoke_agent", "agent_step"})
_OPERATIONS = {
    "chat": "GENERATION", "text_completion": "GENERATION",
    "generate_content": "GENERATION", "embeddings": "EMBEDDING",
    "execute_tool": "TOOL", "invoke_agent": "AGENT", "create_agent": "AGENT",
}  # fmt: skip
_LEVELS = {"FATAL": "ERROR", "CRITICAL": "ERROR", "WARN": "WARNING", "INFO": "DEFAULT"}
_TOLD_BY = ("gen_ai_", "langfuse_", "llm_")


def is_span(fields: Fields, labels: Labels) -> bool:
    """Tell whether a line is a span, or a record that belongs to one."""
    if fields.get("trace_id") or fields.get("traceId"):
        return any(
            name in fields for name in ("attributes", "span_id", "spanId", "resource")
        )
    return "trace_id" in labels and any(name.startswith(_TOLD_BY) for name in labels)


class _Span:
    """The attributes of a span, of its resource, and Loki's of the line."""

    def __init__(self, fields: Fields, labels: Labels) -> None:
        self.fields, self.labels = fields, labels
        self._own = otlp_attributes(fields.get("attributes"))
        resource = section(fields, "resource")
        nested = otlp_attributes(resource.get("attributes"))
        self._resource: Mapping[str, Any] = nested or resource

    def first(self, names: tuple[str, ...]) -> Any:
        """Return the first of those attributes that says something."""
        for name in names:
            for found in (
                self._own.get(name),
                self._resource.get(name),
                self.labels.get(name.replace(".", "_")),
            ):
                if found not in (None, ""):
                    return found
        return None

    def metadata(self) -> dict[str, Any]:
        """Return what the application says of the trace: as JSON, by keys, or both."""
        found = dict(parsed(self.first((_METADATA,))))
        prefix = f"{_METADATA}."
        flat = prefix.replace(".", "_")
        found |= {
            name.removeprefix(flat): value
            for name, value in self.labels.items()
            if name.startswith(flat)
        }
        for said in (self._resource, self._own):
            found |= {
                name.removeprefix(prefix): value
                for name, value in said.items()
                if name.startswith(prefix)
            }
        return found

    def field(self, *names: str) -> Any:
        """Return a field of the span itself, under one of those names."""
        for name in names:
            found = self.fields.get(name, self.labels.get(name))
            if found not in (None, ""):
                return found
        return None


def read_span(fields: Fields, labels: Labels, received: int, app: str) -> Told:
    """Return what a span says.

    Raises:
        Unreadable: it has no id, or belongs to no trace.
    """
    span = _Span(fields, labels)
    trace = text(span.field("trace_id", "traceId"), 64).strip()
    own = text(span.field("span_id", "spanId"), 64).strip()
    if not trace:
        raise Unreadable("no_trace")
    if not own:
        raise Unreadable("no_id")
    start = _nanos(span, "start_time") or received // 1000
    facts: dict[str, Any] = {
        "id": own,
        "version": 0,
        "trace": trace,
        "session": clean.session_id(text(span.first(_SESSION), MAX_TEXT)) or None,
        "user": text(span.first(_USER)) or None,
        "parent": _parent(span),
        "name": text(span.field("name")) or None,
        "trace_name": text(span.first(("langfuse.trace.name",))) or None,
        "tags": _tags(span.first(("langfuse.trace.tags",))) or None,
        "start": start,
        "end": _nanos(span, "end_time") or None,
        "first": instant(
            span.first(("langfuse.observation.completion_start_time",))
        ) or None,
        "model": text(span.first(_MODEL)) or None,
    } | _how(span) | _usage(span)  # fmt: skip
    said = {name: each for name, each in facts.items() if each is not None}
    key = key_of("span", trace, own)
    context = Context(
        app=app,
        environment=text(span.first(_ENVIRONMENT)) or labels.get("env", ""),
        version=text(span.first(_RELEASE)),
        user_id=text(span.first(_USER)),
        attributes=attributes(span.metadata(), "session.", _IDS, depth=2),
    )
    return Told(
        app, trace, key, start, int(Kind.OBSERVATION), context, said.get("name", ""),
        None, said, "strands",
    )  # fmt: skip


def _parent(span: _Span) -> str | None:
    found = text(span.field("parent_span_id", "parentSpanId"), 64).strip()
    return found if found.strip("0") else None


def _nanos(span: _Span, name: str) -> int:
    head, _, tail = name.partition("_")
    camel = f"{head}{tail.title()}UnixNano"
    at = instant(span.field(f"{name}_unix_nano", camel), NS)
    return at or instant(span.field(name, f"{head}{tail.title()}"))


def _how(span: _Span) -> dict[str, Any]:
    """Return type, level and message."""
    operation = text(span.first(("gen_ai.operation.name",)))
    kind = text(span.first(("langfuse.observation.type",)), 40).upper()
    status = section(span.fields, "status")
    level = text(span.first(("langfuse.observation.level",)), 20).upper()
    if not level:
        failed = text(status.get("code")) in {"2", "STATUS_CODE_ERROR", "ERROR"}
        level = "ERROR" if failed else "DEFAULT"
    message = (
        span.first(("langfuse.observation.status_message",))
        or status.get("message")
        or span.first(("error.type",))
    )
    return {
        "type": kind or _OPERATIONS.get(operation, "SPAN"),
        "level": _LEVELS.get(level, level),
        "message": clean.redact_text(any_text(message, MAX_TEXT)) or None,
        "aggregate": operation in _AGGREGATES or None,
    }


def _usage(span: _Span) -> dict[str, Any]:
    details = parsed(span.first(("langfuse.observation.usage_details",)))
    if details:
        tokens = tokens_of(details)
    else:
        given, made = (
            _bounded(whole(span.first(names))) for names in (_INPUT, _OUTPUT)
        )
        both = None if given is None and made is None else (given or 0) + (made or 0)
        tokens = {"in": given, "out": made, "tokens": both}
    costs = parsed(span.first(("langfuse.observation.cost_details",)))
    cost = cost_of(costs, {}) if costs else {"cost": None}
    if cost["cost"] is None:
        said = span.first(("gen_ai.usage.cost", "llm.cost.total"))
        cost = {"cost": pico_usd(said)}
    return tokens | cost


def _bounded(tokens: int | None) -> int | None:
    return tokens if tokens is not None and 0 <= tokens <= MOST_TOKENS else None


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        if value[:1] == "[":
            try:
                value = orjson.loads(value)
            except (orjson.JSONDecodeError, RecursionError):
                return []
        else:
            value = value.split(",")
    if not isinstance(value, list):
        return []
    return [
        tag
        for tag in (text(each, MAX_NAME).strip() for each in value[:MAX_TAGS])
        if tag
    ]
