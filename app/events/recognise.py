"""Tell the format of a stream from some of its lines: by trying all of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from app.events import formats
from app.events.decoder import DECODERS, Batch, make_decoder
from app.events.presets import PRESETS
from app.model import Entry, Page, Stream
from app.settings import MappingSettings, SourceSettings

_KNOWN = tuple(each.__name__.rpartition(".")[2] for each in formats.FORMATS)


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of some lines in one format.

    Attributes:
        settings: of the source that read them.
        lines: how many there were.
        decoded: how many were understood.
        dropped: reason → the lines that were not.
        sessions: how many sessions or visitors they tell of.
        apps: their applications.
    """

    settings: SourceSettings
    lines: int
    decoded: int
    dropped: dict[str, list[str]] = field(default_factory=dict)
    sessions: int = 0
    apps: tuple[str, ...] = ()


def attempt(settings: SourceSettings, entries: Iterable[Entry]) -> Trial:
    """Read *entries* as a source with those settings would."""
    batch, dropped = Batch(), dict[str, list[str]]()
    decoder, lines = make_decoder(settings), 0
    for entry in entries:
        before = dict(batch.dropped)
        value = [str(entry.ts), entry.line, {"structuredMetadata": entry.metadata}]
        page = Page(0, 0, [Stream(entry.labels, [value])], 1, len(entry.line))
        decoder.decode(page, batch)
        lines += 1
        for reason, count in batch.dropped.items():
            if count > before.get(reason, 0):
                dropped.setdefault(reason, []).append(entry.line)
    addresses = [*batch.events, *batch.strands, *batch.threads]
    apps = tuple(sorted({app for app, _ in addresses}))
    return Trial(settings, lines, batch.decoded, dropped, len(addresses), apps)


def recognise(settings: SourceSettings, entries: list[Entry]) -> Trial | None:
    """Return the trial of the format that understands most of *entries*, if any does.

    A format that reads half of them goes before mappings: labels that name a session
    are enough for a mapping to read anything.
    """

    def worth(trial: Trial) -> tuple[bool, int]:
        special = trial.settings.format != "mapped"
        return special and trial.decoded * 2 >= trial.lines, trial.decoded

    trials = [attempt(each, entries) for each in _candidates(settings)]
    best = max(trials, key=worth, default=None)
    return best if best and best.decoded else None


def _candidates(settings: SourceSettings) -> Iterator[SourceSettings]:
    for name in _KNOWN:
        if name in DECODERS and name != "mapped":
            yield replace(settings, format=name)
    for preset in PRESETS:
        if preset:
            mapping = MappingSettings(preset=preset, salt="-")
            yield replace(settings, format="mapped", mapping=mapping)


def block(settings: SourceSettings) -> str:
    """Return the lines of ``skald.yml`` that configure a source so."""
    quoted = settings.selector.replace("'", "''")
    lines = [
        "sources:",
        f"  - name: {settings.name}",
        f"    format: {settings.format}",
        f"    selector: '{quoted}'",
    ]
    if settings.format == "mapped":
        lines += ["    mapping:", f"      preset: {settings.mapping.preset}"]
        if PRESETS[settings.mapping.preset].get("who"):
            lines.append(
                "      salt_file: salt.txt  # make one: openssl rand -hex 32 > salt.txt"
            )
    return "\n".join(lines)
