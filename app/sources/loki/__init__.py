"""Read Loki exactly: every entry of a time, once, whatever its limits."""

from app.sources.loki.counters import Counters
from app.sources.loki.probe import Check, Probe
from app.sources.loki.source import LokiSource

__all__ = ["Check", "Counters", "LokiSource", "Probe"]
