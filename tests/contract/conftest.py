"""The same service and index as the tests of the web service."""

from tests.api.conftest import (
    client,
    get,
    index_file,
    refuse,
    service_settings,
    stopped_clock,
)

__all__ = ["client", "get", "index_file", "refuse", "service_settings", "stopped_clock"]
