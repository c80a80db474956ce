"""An index with recorded samples, written as the ruler writes them."""

from collections.abc import Mapping
from pathlib import Path

from app.model import Labels
from app.settings import RemoteWriteSettings, Settings
from app.store import open_feed, open_reader, open_rulebook
from app.store.feed_seam import Feed
from app.store.rule_seam import RuleOutcome, Slot
from app.store.seam import Reader

MINUTE = 60_000
Values = Mapping[tuple[tuple[str, str], ...], float]


def series(**labels: str) -> tuple[tuple[str, str], ...]:
    """Name a series by its labels."""
    return tuple(sorted(labels.items()))


class Recorder:
    """Records what it is told to, under the name ``app:sessions:count``."""

    def __init__(self, path: Path, **more: object) -> None:
        self.settings = Settings(index=path, **more)  # type: ignore[arg-type]
        self._book = open_rulebook(self.settings)

    def record(
        self,
        at: int,
        values: Values,
        *,
        name: str = "app:sessions:count",
        rule: str = "rule",
        correction: bool = False,
    ) -> None:
        """Record a slot of one rule."""
        samples: list[tuple[str, Labels, float]] = [
            (name, dict(labels), value) for labels, value in values.items()
        ]
        outcome = RuleOutcome(rule, "", 1.0, samples)
        slot = Slot("group", at, MINUTE, at, 1.0, [outcome], is_correction=correction)
        self._book.commit(slot)

    def feed(self) -> Feed:
        """Open the feed of this index."""
        return open_feed(self.settings)

    def reader(self) -> Reader:
        """Open this index for reading."""
        return open_reader(self.settings)

    def close(self) -> None:
        """Let go of the index."""
        self._book.close()


def receiver(url: str, **more: object) -> RemoteWriteSettings:
    """Return the settings of a receiver with short waits."""
    return RemoteWriteSettings(url=url, **{"timeout_s": 5.0, **more})  # type: ignore[arg-type]
