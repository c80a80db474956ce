"""Of sampled sessions, figures are those of all: as if each were there several times."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.catalog.metrics import METRICS
from app.sessionql.evaluate import evaluate
from app.sessionql.language import parse
from app.sessionql.plan import EVERYTHING, Compare, Filter, Leaf, Window, bind
from app.settings import SamplingSettings, Settings, SourceSettings
from app.store import open_reader
from app.store.seam import Reader
from tests.build import HOUR
from tests.driver import Index
from tests.sessionql.worlds import NOON, World
from tests.store.engines import Engine
from tests.store.plain import Known, PlainStore, know
from tests.store.town import END, START, WINDOW, fill, lines, town

RATES = (  # the first that fits a session counts
    SamplingSettings("shop", "1.0", 0.25),
    SamplingSettings("shop", "", 0.5),
    SamplingSettings("tealeaf-shop", "", 0.25),
    SamplingSettings("tealeaf-docs", "", 0.5),
)
STANDS_FOR = {"tealeaf-shop": 4, "tealeaf-docs": 2, "shop": 2}
BY = [(), ("app",), ("version",), ("browser", "device"), ("page",), ("error",)]
FILTERS: list[Filter] = [
    EVERYTHING,
    Compare("app", "=", ("shop",)),
    Compare("app", "!=", ("shop",)),
    Compare("version", "=", ("1.0",)),
    Compare("page", "=~", ("/c.*",)),
]
LEAVES = [
    Leaf("count"),
    Leaf("active"),
    *(
        Leaf(function, field)
        for function in ("sum", "avg", "min", "max")
        for field in ("duration", "errors", "lcp")
    ),
    *(
        Leaf("share", where=where)
        for where in (
            Compare("errors", ">", (0.0,)),
            Compare("bounced", "=", (True,)),
            Compare("returning", "=", (True,)),
        )
    ),
]


def weight(known: Known) -> int:
    """Return for how many sessions one stands."""
    if (known.facts["app"], known.facts["version"]) == ("shop", "1.0"):
        return 4
    return STANDS_FOR.get(known.facts["app"], 1)


def repeated(kept: list[Known]) -> PlainStore:
    """Return a store in which every session is as often as it stands for one."""
    return PlainStore([each for each in kept for _ in range(weight(each))])


def weighing(
    path: Path, rates: tuple[SamplingSettings, ...] = RATES
) -> tuple[Reader, Settings]:
    """Open an index of which sessions were sampled at *rates*."""
    source = SourceSettings(name="faro", sampling=rates)
    settings = Settings(index=path, sources=(source,))
    return open_reader(settings), settings


def told(store: Any, leaf: Leaf, window: Window) -> Any:
    """Return the cells of *leaf* that say something."""
    return {
        (labels, bucket): pytest.approx(value)
        for labels, bucket, value in store.evaluate(leaf, window)
        if value is not None
    }


@pytest.mark.parametrize("seed", range(6))
def test_one_session_of_four_stands_for_four(seed: int, tmp_path: Path) -> None:
    """Sums, averages and shares are as if all sessions had been kept, all alike."""
    world = World(seed, tmp_path / "skald.db")
    window = Window(NOON - 3 * HOUR, NOON + 3 * HOUR, (seed % 2) * HOUR, NOON)
    wanted = repeated(know(world.sessions(), NOON))
    reader, _ = weighing(tmp_path / "skald.db")

    for by in BY:
        for selector in FILTERS:
            for leaf in LEAVES:
                if by == ("error",) and leaf.field == "lcp":
                    continue  # no event has both
                asked = bind(leaf, selector, by)
                got = told(reader, asked, window)  # type: ignore[arg-type]
                assert got == told(wanted, asked, window), asked  # type: ignore[arg-type]
    world.reader.close()
    reader.close()


@pytest.fixture(scope="module")
def streets(shared: Engine) -> tuple[Reader, list[Known]]:
    """Return a town of three applications, in which rollups answer, and its sessions."""
    fill(shared)
    reader, _ = weighing(shared.path)  # type: ignore[attr-defined]
    shared.opened.append(reader)  # type: ignore[attr-defined]
    return reader, town(reader)


@pytest.mark.parametrize(
    "metric", [name for name in METRICS if not name.endswith("histogram")]
)
def test_metrics_are_of_all_sessions(
    streets: tuple[Reader, list[Known]], metric: str
) -> None:
    """What has a name is weighted as a whole; what is distinct is as it was seen."""
    reader, kept = streets
    text = METRICS[metric].text
    plan = parse(text).figures
    store = PlainStore(kept) if "distinct" in text else repeated(kept)

    got = evaluate(plan, WINDOW, reader, max_series=1_000)
    wanted = evaluate(plan, WINDOW, store, max_series=1_000)

    near = 0.05 if "quantile" in text else 1e-9
    assert [each.labels for each in got.series] == [
        each.labels for each in wanted.series
    ]
    for ours, theirs in zip(got.series, wanted.series, strict=True):
        assert ours.values == pytest.approx(theirs.values, rel=near)


def test_quantiles_of_several_points_have_a_label(
    streets: tuple[Reader, list[Known]],
) -> None:
    """Across rates as well as at one, and not far off."""
    reader, kept = streets
    leaf = Leaf("quantile", "duration", (0.1, 0.5, 0.95), by=("device",))

    got = {labels: value for labels, _, value in reader.evaluate(leaf, WINDOW)}

    store = repeated(kept)
    for point in leaf.points:
        one = replace(leaf, points=(point,))
        for labels, _, value in store.evaluate(one, WINDOW):
            ours = got[*labels, str(point)]
            below = [
                weight(each)
                for each in kept
                if each.facts["device"] == labels[0]
                and each.facts["duration"] <= (ours or 0)
            ]
            all_ = [weight(e) for e in kept if e.facts["device"] == labels[0]]
            assert sum(below) / sum(all_) == pytest.approx(point, abs=0.06), value


NOTICES = [
    (Leaf("count"), "estimated: sessions are sampled (25 %, 50 %) and weighted"),
    (
        Leaf("count", selector=Compare("app", "=", ("tealeaf-docs",))),
        "estimated: sessions are sampled (50 %) and weighted",
    ),
    (Leaf("avg", "duration"), "estimated: sessions are sampled (25 %, 50 %)"),
    (Leaf("distinct", "user"), "of the sample alone: sessions are sampled (25 %)"),
    (Leaf("count", selector=Compare("app", "=", ("tealeaf-app",))), ""),
]


@pytest.mark.parametrize(("leaf", "notice"), NOTICES)
def test_estimates_say_so(
    streets: tuple[Reader, list[Known]], leaf: Leaf, notice: str
) -> None:
    """An answer says what it is, and only where it looked at sampled sessions."""
    reader, _ = streets

    reader.take_notices()
    reader.evaluate(leaf, WINDOW)

    said = [each for each in reader.take_notices() if "sample" in each]
    assert said == ([notice] if notice else [])


def test_half_of_a_town_tells_of_all_of_it(tmp_path: Path) -> None:
    """Where each session was kept or not by chance, the estimate is near the truth."""
    dice = random.Random(7)
    truths = lines()[1]
    lost = {each.session_id for each in truths if dice.random() < 0.5}
    everything, half = Index(tmp_path / "all.db"), Index(tmp_path / "half.db")
    everything.ingest(lines()[0])
    half.ingest(
        each
        for each in lines()[0]
        if not any(f"session_id={lost_id} " in each.line for lost_id in lost)
    )
    whole = everything.reader
    sample, _ = weighing(half.path, (SamplingSettings(rate=0.5),))

    for leaf in (Leaf("count"), Leaf("sum", "views"), Leaf("count", by=("browser",))):
        truth = {
            labels: value or 0 for labels, _, value in whole.evaluate(leaf, WINDOW)
        }
        estimate = {
            labels: value or 0 for labels, _, value in sample.evaluate(leaf, WINDOW)
        }
        for labels, value in truth.items():
            # four standard errors of a sum of which each part is kept or not
            per_session = 12 if leaf.function == "sum" else 1
            error = 4 * per_session * (value / per_session) ** 0.5
            assert abs(estimate.get(labels, 0) - value) <= error, labels
    assert sum(1 for _ in lost) > 80
    for each in (everything, half, sample):
        each.close()


def test_answers_over_http_carry_the_notice(
    shared: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows say it in a header, panels beside their frame; a session is as it was."""
    fill(shared)
    reader, settings = weighing(shared.path)  # type: ignore[attr-defined]
    reader.close()
    monkeypatch.setattr("app.clock.now", lambda: END)
    client = create_app(settings).test_client()
    asked = {"from": START, "to": END}

    counted = client.get("/api/v1/query", query_string={"metric": "sessions", **asked})
    ranked = client.get("/api/v1/users", query_string={"format": "rows", **asked})
    compared = client.get("/api/v1/compare", query_string=asked).get_json()
    listed = client.get("/api/v1/sessions", query_string=asked).get_json()

    assert "estimated" in counted.headers["Skald-Notice"]
    assert counted.get_json()[0]["sessions"] > listed["total"]
    assert ranked.headers["Skald-Notice"] == counted.headers["Skald-Notice"]
    assert any("estimated" in each for each in compared["notices"])
