"""Write the generated pages of ``docs/reference/``; ``--check`` only compares them."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.catalog.fields import ATTRIBUTE_SCOPES, FIELDS, Field
from app.catalog.metrics import METRICS, Metric
from app.configuration.shape import (
    EVENT,
    LOKI,
    MAPPING,
    REMOTE,
    ROOT,
    SAMPLING,
    SOURCE,
    Shape,
    variable,
)
from app.configuration.show import show_value
from app.settings import (
    EventSettings,
    LokiSettings,
    MappingSettings,
    RemoteWriteSettings,
    SamplingSettings,
    Setting,
    Settings,
    SourceSettings,
)
from docs import language

REFERENCE = Path(__file__).resolve().parent / "reference"
_NOTICE = "<!-- Written by `make docs` from {}; change it there. -->"

_SETTINGS = f"""\
# Settings

{_NOTICE.format("`app/settings.py`")}

A setting stands in `skald.yml` under its key, or in the environment under its variable;
the environment is heard over the file, and an empty variable says nothing. The file is
the one of `--config`, else of `SKALD_CONFIG`, else `./skald.yml` if it exists.
`skald settings` prints what is in effect.

Durations are written `500ms`, `10s`, `15m`, `1h30m`, `90d`; sizes `512KiB`, `3MiB`.
Paths are relative to the file that says them; of a variable, to the working directory.
Secrets belong into variables or files: each has a `..._file`, and none is ever shown.
"""

_LOKI = """\
The connection of all sources. A source may say parts of it differently, under its own
`loki:` (`SKALD_SOURCES_0_LOKI_URL`)."""

_SOURCES = """\
A list; the variables of its items carry their number, from 0."""

_RECEIVERS = """\
A list, too: who recorded samples are written to, see [Prometheus](../prometheus.md)."""

_MAPPING = """\
Of `format: mapped`: [how any log is read](../sources.md#any-other-log-mapped)."""

_SAMPLING = """\
A list, in the file only: [at which rates sessions are sampled](../sources.md#sampling)."""

_EVENTS = """\
A list, in the file only: of the conditions, the first that fits says what a line is."""

_EXAMPLE = """\
## Example

```yaml
retention: 30d
loki:
  url: http://loki:3100
  tenant: web
sources:
  - name: shop
    selector: '{app="shop", kind=~".+"}'
  - name: bank
    selector: '{app="bank", kind=~".+"}'
    inactivity: 5m
    loki: {tenant: bank}
```

The same sources in variables: `SKALD_SOURCES_0_NAME=shop`, `SKALD_SOURCES_1_NAME=bank`,
`SKALD_SOURCES_1_LOKI_TENANT=bank` and so on.
"""

_FIELDS = f"""\
# Fields

{_NOTICE.format("`app/catalog/fields.py`")}

What is known of a session, and of the views, actions and errors in it: the columns of a
search, what can be filtered and, where *groups* says so, grouped by. A field of a view,
an action or an error selects the sessions that have at least one such; grouped by it, a
session counts in each group.
"""

_METRICS = f"""\
# Metrics

{_NOTICE.format("`app/catalog/metrics.py`")}

The questions that have a name, each a query in [SessionQL](../sessionql.md). Where *empty* is 0, an hour without sessions shows 0; of
a rate or an average it shows nothing.
"""


def pages() -> dict[Path, str]:
    """Write every page: path → text."""
    return {
        REFERENCE / "settings.md": _settings(),
        REFERENCE / "fields.md": _fields(),
        REFERENCE / "metrics.md": _metrics(),
        REFERENCE / "sessionql.md": language.page(_table),
    }


def _settings() -> str:
    return "\n".join(
        [
            _SETTINGS,
            "## Skald\n",
            _settings_table(ROOT, Settings(), ()),
            f"\n## `loki`\n\n{_LOKI}\n",
            _settings_table(LOKI, LokiSettings(), ("loki",)),
            f"\n## `sources`\n\n{_SOURCES}\n",
            _settings_table(SOURCE, SourceSettings(), ("sources", 0)),
            f"\n### `sampling` of a source\n\n{_SAMPLING}\n",
            _table_without_variables(SAMPLING, SamplingSettings()),
            f"\n### `mapping` of a source\n\n{_MAPPING}\n",
            _settings_table(MAPPING, MappingSettings(), ("sources", 0, "mapping")),
            f"\n### `events` of a mapping\n\n{_EVENTS}\n",
            _table_without_variables(EVENT, EventSettings()),
            f"\n## `remote_write`\n\n{_RECEIVERS}\n",
            _settings_table(REMOTE, RemoteWriteSettings(), ("remote_write", 0)),
            "",
            _EXAMPLE.rstrip(),
            "",
        ]
    )


def _table_without_variables(shape: Shape, defaults: object) -> str:
    return re.sub(r"`SKALD_\w+`", "", _settings_table(shape, defaults, ()))


def _settings_table(shape: Shape, room: object, path: tuple[str | int, ...]) -> str:
    rows = []
    for key, (field, note) in shape.settings.items():
        default = show_value(getattr(room, field), note)
        rows.append(_setting_row(key, note, default, path))
        if f"{key}_file" in shape.secret_files:
            from_file = Setting("file", f"File that holds the {key}.")
            rows.append(_setting_row(f"{key}_file", from_file, "", path))
    return _table(("key", "variable", "default", "may be", "what it is"), rows)


def _setting_row(
    key: str, note: Setting, default: str, path: tuple[str | int, ...]
) -> tuple[str, ...]:
    name = variable((*path, key))
    shown = f"`{default}`" if default else ""
    return (f"`{key}`", f"`{name}`", shown, _range(note), note.help)


_KINDS = {
    "share": "share",
    "field": "path",
    "fields": "paths",
    "condition": "condition",
    "boolean": "`true`, `false`",
    "file": "a file that can be read",
    "format": "a format",
    "name": "a name",
    "origins": "a list of origins",
    "path": "a path",
    "paths": "a list of paths",
    "secret": "a secret",
    "selector": "a selector",
    "text": "text",
    "url": "a URL",
    "urls": "a list of URLs",
}


def _range(note: Setting) -> str:
    if note.choices:
        return ", ".join(f"`{each}`" for each in note.choices)
    if note.least is not None and note.most is not None:
        return f"{show_value(note.least, note)} to {show_value(note.most, note)}"
    return _KINDS[note.kind]


def _fields() -> str:
    rows = [_field_row(each) for each in FIELDS.values()]
    scopes = ", ".join(f"`{each}...`" for each in ATTRIBUTE_SCOPES)
    return "\n".join(
        [
            _FIELDS,
            _table(("field", "of", "type", "groups", "unit", "what it is"), rows),
            f"\nAttributes of the application's own are fields too: {scopes}.",
            "",
        ]
    )


def _field_row(field: Field) -> tuple[str, ...]:
    choices = ", ".join(f"`{each}`" for each in field.choices)
    text = f"{field.help} One of {choices}." if choices else field.help
    groups = "yes" if field.groups else ""
    return (f"`{field.name}`", field.scope, field.type, groups, field.unit, text)


def _metrics() -> str:
    rows = [_metric_row(each) for each in METRICS.values()]
    head = ("metric", "label", "unit", "empty", "thresholds", "what it is", "query")
    return "\n".join([_METRICS, _table(head, rows), ""])


def _metric_row(metric: Metric) -> tuple[str, ...]:
    thresholds = ", ".join(f"{each:g}" for each in metric.thresholds)
    if metric.bands:
        thresholds = f"{thresholds}: {', '.join(metric.bands)}"
    empty = "0" if metric.counts else ""
    name, query = f"`{metric.name}`", f"`{metric.text}`"
    return (name, metric.label, metric.unit, empty, thresholds, metric.help, query)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    def lines() -> Iterator[str]:
        yield "| " + " | ".join(head) + " |"
        yield "|" + "---|" * len(head)
        for row in rows:
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"

    return "\n".join(lines())


def stale() -> list[Path]:
    """List the pages that differ from what would be written."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def main() -> int:
    """Write the pages, or say which are stale."""
    found = stale()
    if "--check" in sys.argv[1:]:
        for path in found:
            print(f"{path} is stale; run: make docs", file=sys.stderr)
        return 1 if found else 0
    for path in found:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages()[path], "utf-8")
        print(f"wrote {path.relative_to(REFERENCE.parent.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
