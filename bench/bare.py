"""The peer: page through Loki and count, decode nothing, keep nothing."""

import os
import sys

from app.settings import LokiSettings, SourceSettings
from app.sources.loki import LokiSource


def main() -> None:
    """Count the lines of ``[start, end)`` (ns, from the command line)."""
    start, end = int(sys.argv[1]), int(sys.argv[2])
    settings = SourceSettings(
        selector=os.environ["SKALD_SOURCES_0_SELECTOR"],
        loki=LokiSettings(url=os.environ["SKALD_LOKI_URL"]),
    )
    source = LokiSource(settings)
    print(sum(page.entries for page in source.pages(start, end)))
    source.close()


if __name__ == "__main__":
    main()
