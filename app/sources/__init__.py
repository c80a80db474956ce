"""Where entries come from."""

from app.sources.loki import LokiSource
from app.sources.model import Page, Source, Stream
from app.sources.replay import ReplaySource

__all__ = ["LokiSource", "Page", "ReplaySource", "Source", "Stream"]
