"""Add what a real Loki adds on its own: the service name and the level of a line."""

import re
from itertools import chain

from app.model import Labels

SERVICE_SOURCES = (
    "service",
    "app",
    "application",
    "app_name",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
)
LEVEL_LABELS = (
    "level",
    "LEVEL",
    "Level",
    "severity",
    "SEVERITY",
    "Severity",
    "lvl",
    "LVL",
    "Lvl",
)
LEVELS = {
    "trace": "trace",
    "trc": "trace",
    "debug": "debug",
    "dbg": "debug",
    "info": "info",
    "inf": "info",
    "information": "info",
    "warn": "warn",
    "wrn": "warn",
    "warning": "warn",
    "error": "error",
    "err": "error",
    "critical": "critical",
    "fatal": "fatal",
}
WORDS = {  # by the stem to look for first, in the order of their rank
    "trace": ("trace",),
    "debug": ("debug",),
    "fatal": ("fatal",),
    "critical": ("critical",),
    "err": ("error", "err"),
    "warn": ("warning", "warn"),
    "info": ("info",),
}
LEVEL_FIELD = re.compile(
    r"""(?:^|[\s{,"])(?:level|severity|lvl)(?:"\s*:\s*|=)"?([A-Za-z]+)""", re.IGNORECASE
)


def with_service_name(labels: Labels) -> Labels:
    """Return *labels* with the ``service_name`` that Loki derives, when it has none."""
    if "service_name" in labels:
        return labels
    found = (labels[name] for name in SERVICE_SOURCES if labels.get(name))
    return {**labels, "service_name": next(found, "unknown_service")}


def detect_level(line: str, labels: Labels, metadata: Labels) -> str:
    """Name the level of a line: from a label, a field of the line, or a bare word.

    Source: Loki's distributor (field_detection.go); fields nested in JSON are found
    by their spelling here, not by parsing.
    """
    for known in (labels, metadata):
        named = next((known[name] for name in LEVEL_LABELS if name in known), "")
        if named:
            return LEVELS.get(named.lower(), named)
    lower = line.lower()
    if "level" in lower or "severity" in lower or "lvl" in lower:
        field = LEVEL_FIELD.search(line)
        if field and field[1].lower() in LEVELS:
            return LEVELS[field[1].lower()]
    return _level_word(lower)


def _level_word(lower: str) -> str:
    stems = [stem for stem in WORDS if stem in lower]
    for word in chain.from_iterable(WORDS[stem] for stem in stems):
        at = lower.find(word)
        if at >= 0 and _stands_alone(lower, at, at + len(word)):
            return LEVELS[word]
    return "unknown"


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = text[start - 1 : start]
    after = text[end : end + 1]
    return not any(near.isalnum() or near == "_" for near in (before, after))
