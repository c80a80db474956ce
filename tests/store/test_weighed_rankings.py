"""Of sampled sessions, rankings and journeys are those of all, as figures are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from app.model import Entry
from app.sessionql.plan import EVERYTHING, Compare, Filter, Leaf, Window
from app.settings import SamplingSettings, Settings, SourceSettings
from app.store import open_reader
from app.store.insight_seam import FlowQuestion, FunnelQuestion, Ranking
from app.store.seam import Reader
from tests.build import DAY, HOUR, MINUTE, SECOND, js_error, page_load, web_vital
from tests.driver import SOURCE, Index

PAGES, USERS = ("/", "/cart", "/pay"), ("", "ann", "ben")
APPS = {("shop", "1.0"): 10, ("shop", "2.0"): 4, ("blog", "1.0"): 2, ("news", "1.0"): 1}
RATES = (  # the first that fits a session counts
    SamplingSettings("shop", "1.0", 0.1),
    SamplingSettings("shop", "", 0.25),
    SamplingSettings("blog", "", 0.5),
)
WINDOW = Window(DAY, DAY + 24 * HOUR, 0, DAY + 30 * HOUR)
FILTERS: tuple[Filter, ...] = (
    EVERYTHING,
    Compare("app", "=", ("shop",)),
    Compare("version", "=", ("1.0",)),
    Compare("app", "=", ("blog",)),
    Compare("errors", ">", (0,)),
)
STEPS = tuple(Compare("page", "=", (page,)) for page in ("/", "/pay"))


@dataclass(frozen=True)
class Visit:
    """One session that was kept.

    Attributes:
        steps: pages, and whether an error happened there.
    """

    app: str
    version: str
    user: str
    steps: list[tuple[str, bool]]


VISITS = st.lists(
    st.builds(
        lambda of, user, steps: Visit(*of, user, steps),
        st.sampled_from(list(APPS)),
        st.sampled_from(USERS),
        st.lists(
            st.tuples(st.sampled_from(PAGES), st.booleans()), min_size=1, max_size=4
        ),
    ),
    min_size=1,
    max_size=8,
)


def lines(visits: list[Visit], *, repeated: bool) -> Iterator[Entry]:
    """Yield the lines of sessions, each as often as it stands for one where asked."""
    for number, visit in enumerate(visits):
        count = APPS[visit.app, visit.version] if repeated else 1
        for copy in range(count):
            yield from lines_of(visit, f"s{number}-{copy}", number)


def lines_of(visit: Visit, session: str, number: int) -> Iterator[Entry]:
    """Yield what a session logs: a page a minute, an error a second later."""
    meta = {"app_name": visit.app, "app_version": visit.version}
    meta |= {"user_id": visit.user} if visit.user else {}
    begin = DAY + 10 * HOUR + number * 7 * MINUTE
    for place, (page, fails) in enumerate(visit.steps):
        at, how = begin + place * MINUTE, "resume" if place else "start"
        yield from page_load(session, at, page, how=how, **meta)
        yield from web_vital(session, at, "lcp", 900.0 + place, page, **meta)
        if fails:
            yield from js_error(session, at + SECOND, f"no {page}", page, **meta)


def fill(path: Path, entries: Iterator[Entry], *, in_columns: bool) -> None:
    """Write an index, with columns where asked."""
    index = Index(path)
    index.ingest(entries)
    while in_columns and index.writer.roll_up(1 << 52, "single_view"):
        pass
    index.close()


def opened(path: Path, rates: tuple[SamplingSettings, ...]) -> Reader:
    """Open an index of which sessions were sampled at *rates*."""
    source = SourceSettings(name=SOURCE.name, sampling=rates)
    return open_reader(Settings(index=path, sources=(source,)))


def comparable(found: Any) -> Any:
    """Leave out which session of several alike is shown, and errors of arithmetic."""
    if isinstance(found, dict):
        return {
            key: comparable(each)
            for key, each in found.items()
            if key not in {"session", "recent", "attributes"}
        }
    if isinstance(found, (list, tuple)):
        return [comparable(each) for each in found]
    return float(f"{found:.9g}") if isinstance(found, float) else found


def everything(reader: Reader, selector: Filter) -> Iterator[tuple[str, Any]]:
    """Yield what there is to know beside figures, each with its name."""
    for least in (1, 5):
        ranking = Ranking(WINDOW, selector, least=least)
        yield "users", ranked(reader.people(ranking))
        yield "errors", ranked(reader.problems(ranking))
        yield "pages", ranked(reader.places(replace(ranking, sample=1)))
    yield "user", reader.person("ann", WINDOW, selector)
    for row in reader.problems(Ranking(WINDOW, selector)).items:
        yield "error", reader.problem(row["fingerprint"], WINDOW, selector)
    for side in ({}, {"after": "/cart"}, {"before": "/cart"}, {"depth": 2}):
        question = FlowQuestion(WINDOW, selector, sample=1, **side)  # type: ignore[arg-type]
        flow = reader.flow(question)
        told = (flow.flow.sessions, flow.flow.pages)
        yield "flow", (named(flow.flow.places), named(flow.flow.edges), *told)
    for by in ("", "app"):
        asked = FunnelQuestion(WINDOW, STEPS, selector, by=by, sample=1)
        funnel = reader.funnel(asked).groups
        yield "funnel", sorted((name, each.reached, each.took) for name, each in funnel)
    returns = reader.returns(WINDOW, selector, HOUR, 0)
    yield "returns", [repr(returns.cells), returns.earlier]


def ranked(found: Any) -> Any:
    """Return rows in an order that does not depend on numbers of strings."""
    return sorted(found.items, key=repr), found.total


def named(passages: Any) -> Any:
    """Return what goes through places, without what pages are called."""
    return sorted(
        (each.count, each.sessions, each.dwell, each.dwelled)
        for each in passages.values()
    )


@pytest.mark.parametrize("in_columns", [False, True], ids=["tables", "columns"])
@settings(max_examples=25, deadline=None)
@given(visits=VISITS)
def test_one_session_of_ten_stands_for_ten(
    in_columns: bool,  # noqa: FBT001 - pytest's
    visits: list[Visit],
) -> None:
    """Every count is as if each session had been there as often as it stands for one."""
    with TemporaryDirectory() as folder:
        kept, every = (Path(folder) / name for name in ("kept.db", "every.db"))
        fill(kept, lines(visits, repeated=False), in_columns=in_columns)
        fill(every, lines(visits, repeated=True), in_columns=in_columns)
        ours, theirs = opened(kept, RATES), opened(every, ())
        for selector in FILTERS:
            pairs = zip(
                everything(ours, selector), everything(theirs, selector), strict=True
            )
            for (name, got), (_, wanted) in pairs:
                assert comparable(got) == comparable(wanted), (name, selector)
        ours.close()
        theirs.close()


MANY = [
    Visit(
        *of, USERS[number % 3], [(PAGES[number % 3], number % 2 == 0), ("/pay", False)]
    )
    for number, of in enumerate(list(APPS) * 5)
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index of twenty sessions that were kept."""
    path = tmp_path_factory.mktemp("kept") / "skald.db"
    fill(path, lines(MANY, repeated=False), in_columns=True)
    return path


ODD = (SamplingSettings("shop", "", 0.3), SamplingSettings("blog", "", 0.07))


@pytest.mark.parametrize("rates", [RATES, ODD, (SamplingSettings(rate=0.25),)])
def test_rankings_add_up_to_figures(
    kept: Path, rates: tuple[SamplingSettings, ...]
) -> None:
    """What rows say is what a query says by the same label."""
    reader = opened(kept, rates)

    def figure(leaf: Leaf) -> dict[str, Any]:
        cells = reader.evaluate(leaf, WINDOW)
        return {
            labels[0]: pytest.approx(value) for labels, _, value in cells if labels[0]
        }

    ranking = Ranking(WINDOW, limit=100)
    users = reader.people(ranking).items
    assert {row["user"]: row["sessions"] for row in users} == figure(
        Leaf("count", by=("user",))
    )
    assert {row["user"]: row["errors"] for row in users} == figure(
        Leaf("sum", "errors", by=("user",))
    )
    pages = reader.places(ranking).items
    assert {row["page"]: row["entries"] for row in pages if row["entries"]} == figure(
        Leaf("count", by=("entry",))
    )
    errors = reader.problems(ranking).items
    assert {row["fingerprint"]: row["sessions"] for row in errors} == figure(
        Leaf("count", by=("fingerprint",))
    )
    whole = FunnelQuestion(WINDOW, STEPS, by="app")
    entered = Compare("page", "=", ("/",))
    assert {
        name: each.reached[0] for name, each in reader.funnel(whole).groups
    } == figure(Leaf("count", selector=entered, by=("app",)))
    reader.close()


PATHS = (
    "/users", "/users/ann", "/errors", "/pages", "/paths?format=edges",
    "/paths?format=matrix", "/funnel?step=/&step=/pay",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_answers_say_that_they_are_estimates(
    kept: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of a query, and only where they are about sampled sessions."""
    monkeypatch.setattr("app.clock.now", lambda: WINDOW.now)
    source = SourceSettings(name=SOURCE.name, sampling=RATES)
    client = create_app(Settings(index=kept, sources=(source,))).test_client()
    asked = {"from": str(WINDOW.start), "to": str(WINDOW.end), "format": "rows"}
    if "format" in path or path == "/users/ann":
        del asked["format"]

    def notices(app: str, **more: str) -> str:
        query = "&".join(f"{key}={value}" for key, value in (asked | more).items())
        joined = "&" if "?" in path else "?"
        found = client.get(f"/api/v1{path}{joined}{query}&app={app}")
        assert found.status_code == 200
        return found.headers.get("Skald-Notice", "")

    assert "estimated: sessions are sampled (50 %) and weighted" in notices("blog")
    assert "sampled" not in notices("news")


TARGETS = {
    "users": "estimated",
    "error_list": "estimated",
    "pages": "estimated",
    "ways": "estimated",
    "ways_nodes": "estimated",
    "funnel": "estimated",
    "dropped_off": "estimated",
    "retention": "of the sample alone",
}


@pytest.mark.parametrize(("target", "said"), TARGETS.items())
def test_panels_say_that_they_are_estimates(
    kept: Path, target: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the lists of the JSON data source; retention counts users, as they were."""
    monkeypatch.setattr("app.clock.now", lambda: WINDOW.now)
    source = SourceSettings(name=SOURCE.name, sampling=RATES)
    client = create_app(Settings(index=kept, sources=(source,))).test_client()

    def answered(app: str) -> str:
        payload = {"steps": "/,/pay", "dropped": "1", "app": app}
        asked = {
            "range": {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"},
            "targets": [{"refId": "A", "target": target, "payload": payload}],
        }
        found = client.post("/json/query", json=asked)
        assert found.status_code == 200
        return found.get_data(as_text=True)

    assert f"{said}: sessions are sampled (50 %)" in answered("blog")
    assert "are sampled" not in answered("news")
