"""The functions of a pipeline, declared once: the checks and the docs read them here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """What makes figures of sessions.

    Attributes:
        name: of the leaf that it makes.
        takes: "" (nothing), number, text or condition.
        wants: how to say what is missing.
        form: how it is written.
        help: what it answers.
    """

    name: str
    takes: str
    wants: str
    form: str
    help: str


_FIELD = "a field, such as duration"

FUNCTIONS = {
    "count_over_time": Function("count", "", "", "count_over_time()", "Sessions."),
    "rate": Function("rate", "", "", "rate()", "Sessions begun a second."),
    "active_over_time": Function(
        "active",
        "",
        "",
        "active_over_time()",
        "Sessions that had an event in the time, whenever they began.",
    ),
    "distinct_over_time": Function(
        "distinct",
        "text",
        "a field, such as user",
        "distinct_over_time(field)",
        "Distinct values; sessions of which nothing is said do not count.",
    ),
    "sum_over_time": Function(
        "sum", "number", _FIELD, "sum_over_time(field)", "Sum of a number."
    ),
    "avg_over_time": Function(
        "avg", "number", _FIELD, "avg_over_time(field)", "Mean of a number."
    ),
    "min_over_time": Function(
        "min",
        "number",
        _FIELD,
        "min_over_time(field)",
        "Smallest number, or first time.",
    ),
    "max_over_time": Function(
        "max", "number", _FIELD, "max_over_time(field)", "Largest number, or last time."
    ),
    "quantile_over_time": Function(
        "quantile",
        "number",
        _FIELD,
        "quantile_over_time(field, q, ...)",
        "Quantiles from 0 to 1, linear between ranks as in Prometheus; several get the "
        "label `quantile`.",
    ),
    "histogram_over_time": Function(
        "histogram",
        "number",
        _FIELD,
        "histogram_over_time(field, bound, ...)",
        "How many are at most each bound, in the label `le`, and `+Inf` for all, as in "
        "Prometheus. Without bounds, some that suit the field.",
    ),
    "share_over_time": Function(
        "share",
        "condition",
        "a condition, such as errors > 0",
        "share_over_time(condition)",
        "Share of the sessions that meet a condition, or are in a set; a session of "
        "which it cannot be told does not count.",
    ),
}

RANKS = {
    "topk": "The n series with the largest total over the time shown.",
    "bottomk": "The n series with the smallest total over the time shown.",
}
