"""The fields of what only some sources tell: devices, recordings, language models."""

from app.catalog.field import Field


def _count(name: str, label: str, text: str, unit: str = "short") -> Field:
    return Field(name, label, "number", "session", text, unit)


def _of(kind: str, name: str, label: str, text: str, unit: str = "short") -> Field:
    return Field(name, label, "number", kind, text, unit)


def _group(kind: str, name: str, label: str, text: str) -> Field:
    return Field(name, label, "string", kind, text, groups=True)


TOLD = (
    _group("session", "city", "City", "Where the collector knows it."),
    _group("session", "connection", "Connection", "slow-2g, 2g, 3g, 4g, wifi ..."),
    _count(
        "frustrations", "Frustrations", "Clicks in rage, dead ones, ones that fail."
    ),
    _count("crashes", "Crashes", "Errors that ended the application."),
    _count("long_tasks", "Long tasks", "Times at which the page did not answer."),
    _count("traces", "Traces", "Requests to an application of language models."),
    _count("observations", "Observations", "Steps of its traces."),
    _count("generations", "Generations", "Calls of a language model."),
    _count("warnings", "Warnings", "Observations of level WARNING."),
    _count("cost", "Cost", "What its generations cost.", "currencyUSD"),
    _count("tokens_in", "Tokens in", "Tokens that models read."),
    _count("tokens_out", "Tokens out", "Tokens that models wrote."),
    _count("tokens", "Tokens", "Tokens in all."),
    _count("trace_latency", "Trace latency", "Sum over its traces.", "ms"),
    _count("generation_time", "Generation time", "Sum over its generations.", "ms"),
    Field("has_replay", "Replay", "boolean", "session", "It was recorded."),
)

TOLD_KINDS = ("trace", "usage", "tag", "score")
TOLD_EVENTS = (
    _group("view", "title", "Title", "The application's own name of a view."),
    _group("trace", "trace", "Trace", "Name of a trace."),
    _group("trace", "trace_user", "Trace user", "User of a trace."),
    _of("trace", "latency", "Latency", "How long a trace took.", "ms"),
    _of("trace", "trace_cost", "Trace cost", "What a trace cost.", "currencyUSD"),
    _of("trace", "trace_tokens", "Trace tokens", "Tokens of a trace."),
    _group("usage", "model", "Model", "Name of a language model."),
    _of("usage", "model_calls", "Calls of a model", "In one session."),
    _of("usage", "model_cost", "Cost of a model", "In one session.", "currencyUSD"),
    _of("usage", "model_tokens_in", "Tokens in, of a model", "In one session."),
    _of("usage", "model_tokens_out", "Tokens out, of a model", "In one session."),
    _of("usage", "model_tokens", "Tokens of a model", "In one session."),
    _of("usage", "model_time", "Time of a model", "In one session, summed.", "ms"),
    _group("tag", "tag", "Tag", "Of a trace."),
    _group("score", "score", "Score", "Name of a score."),
    _of("score", "score_value", "Score value", "Of a score that is a number."),
)
