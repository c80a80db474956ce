"""The two data sources that one declaration is written for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.dashboards import infinity, simpod
from app.dashboards.nouns import Annotation, Ask, Json, Variable


@dataclass(frozen=True, slots=True)
class Flavour:
    """How one data source is asked.

    Attributes:
        name: of its directory.
        label: as Grafana calls the plugin.
        prefix: of the uids of its boards.
        all: the value of "All".
        has_ad_hoc: Grafana offers it ad hoc filters.
        says_labels: figures without labels come under the label of their metric, and not
            under its name.
    """

    name: str
    label: str
    plugin: str
    prefix: str
    ref: Mapping[str, str]
    all: str
    has_ad_hoc: bool
    says_labels: bool
    targets: Callable[[Ask, Sequence[str], Sequence[str]], list[Json]]
    variable_query: Callable[[Variable], Json]
    annotation: Callable[[Annotation, Sequence[str]], Json]


INFINITY = Flavour(
    "infinity",
    infinity.NAME,
    infinity.PLUGIN,
    "skald-",
    infinity.REF,
    infinity.ALL,
    has_ad_hoc=False,
    says_labels=False,
    targets=infinity.targets,
    variable_query=infinity.variable_query,
    annotation=infinity.annotation,
)
JSON = Flavour(
    "json",
    simpod.NAME,
    simpod.PLUGIN,
    "skald-json-",
    simpod.REF,
    simpod.ALL,
    has_ad_hoc=True,
    says_labels=True,
    targets=simpod.targets,
    variable_query=simpod.variable_query,
    annotation=simpod.annotation,
)
FLAVOURS = (INFINITY, JSON)
