"""The questions of dashboards, asked of recorded lines of every source but Faro.

Whoever made the lines wrote down beforehand what each session holds (``truth.json``). A
comment says how a figure was counted there, never by asking the index.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.sessionql.evaluate import evaluate, instant
from app.sessionql.language import parse
from app.sessionql.plan import Window
from app.store.seam import Search
from tests.corpus.worlds import index_of, truth
from tests.driver import Index

HOUR = 3_600_000
DAY = 24 * HOUR
END = 1_795_132_800_000  # 2026-11-20T00:00:00Z; all lines are of the week before
Figures = dict[str, dict[str, float]]

COMPONENTS: Figures = {
    # Total visits: component_visit lines, each once, of the frontend.
    '{ app = "clm-frontend" } | sum_over_time(views)': {"": 113},
    # Visits by component: counted in components_in_order.
    '{ app = "clm-frontend" } | sum_over_time(views) by (page)': {
        "welcome": 32, "pkc-viewer": 22, "mcard-manager": 12, "markdown": 10,
        "p2p-status": 10, "music-viz": 8, "grafana-faro": 7,
        "sha256:9f86d081884c7d65": 7, "地图": 5},
    # The same by the names that people know.
    '{ app = "clm-frontend" } | sum_over_time(views) by (title) | topk(3)': {
        "Welcome": 32, "PKC Viewer": 22, "MCard Manager": 12},
    # User journey: what came directly after each visit of welcome; 10 of the 32 were
    # the last of their session, 22 had a next.
    '{ app = "clm-frontend" && page = "welcome" } > { } | sum_over_time(views) by (page)': {
        "pkc-viewer": 4, "grafana-faro": 3, "markdown": 3, "mcard-manager": 3,
        "p2p-status": 3, "sha256:9f86d081884c7d65": 3, "music-viz": 2, "welcome": 1},
    '{ app = "clm-frontend" && page = "markdown" } > { } | sum_over_time(views) by (page)': {
        "pkc-viewer": 2, "地图": 2, "welcome": 1, "music-viz": 1},
    # Average time per component: mean of duration_ms over its exits; 3 exits of 地图
    # lasted 31,000, 32,765 and 16,800 ms; 5 of grafana-faro.
    '{ app = "clm-frontend" && page = "地图" } | avg_over_time(dwell) by (page)': {
        "地图": (31_000 + 32_765 + 16_800) / 3},
    '{ app = "clm-frontend" && page = "grafana-faro" } | avg_over_time(dwell) by (page)': {
        "grafana-faro": (62_757 + 105_147 + 94_641 + 54_447 + 117_817) / 5},
    # Exits that were told at all: what such a mean rests on.
    '{ app = "clm-frontend" && page =~ "welcome|pkc-viewer" }'
    " | histogram_over_time(dwell, 60000) by (page)": {
        "welcome, 60000": 16, "welcome, +Inf": 22,
        "pkc-viewer, 60000": 6, "pkc-viewer, +Inf": 15},
    # Active users: 39 sessions of 28 users, by the last one of each. One saw no
    # component; one session had another user first, who is not among them.
    '{ app = "clm-frontend" } | distinct_over_time(user)': {"": 28},
    '{ app = "clm-frontend" && views > 0 } | distinct_over_time(user)': {"": 27},
    # Session duration: the middle one of 39 is 94,868; 0.95 of the way is 0.1 of the
    # way from the 37th, 531,843, to the 38th, 1,214,000.
    '{ app = "clm-frontend" } | quantile_over_time(duration, 0.5, 0.95)': {
        "0.5": 94_868, "0.95": 531_843 + 0.1 * (1_214_000 - 531_843)},
    '{ app = "clm-frontend" } | histogram_over_time(duration, 1m, 10m)': {
        "60000": 18, "600000": 37, "+Inf": 39},
    # Bounces: 4 sessions with one visit, of the 38 that have any.
    'bounce_rate { app = "clm-frontend" }': {"": 4 / 38},
    '{ app = "clm-frontend" && views > 0 } | share_over_time(views = 1)': {"": 4 / 38},
    # Entry points: the first of components_in_order.
    '{ app = "clm-frontend" && views > 0 } | count_over_time() by (entry) | topk(5)': {
        "welcome": 22, "pkc-viewer": 9, "mcard-manager": 5, "music-viz": 1, "地图": 1},
    # Flow: sessions that ended at each component, and that came by a way.
    '{ app = "clm-frontend" } | count_over_time() by (exit) | topk(2)': {
        "welcome": 10, "pkc-viewer": 7},
    '{ app = "clm-frontend" && page = "pkc-viewer" } >> { page = "markdown" }'
    " | count_over_time()": {"": 4},
    '{ app = "clm-frontend" }'
    ' | share_over_time({ page = "welcome" } >> { page = "pkc-viewer" })': {"": 7 / 39},
    # Errors: 18 in 12 of the 39 sessions.
    'error_rate { app = "clm-frontend" }': {"": 12 / 39},
    'errors { app = "clm-frontend" }': {"": 18},
    # Users with a session before another: two testers, and one who reloaded the page.
    'returning_users { app = "clm-frontend" }': {"": 3},
    '{ user =~ "user_returning.*" } | count_over_time() by (user)': {
        "user_returning1": 5, "user_returning2": 3},
}  # fmt: skip

MODELS: Figures = {
    # The 40 sessions cost 1.0722955 dollars, as total_cost_usd adds up.
    "cost": {"": 1.0722955},
    "cost_per_session": {"": 1.0722955 / 40},
    "cost by (app)": {
        "support-chat": 0.4151353, "skillforge-api": 0.38792925,
        "skillforge-worker": 0.26923095},
    "tokens": {"": 317_004},
    "tokens_in + tokens_out": {"": 274_467 + 42_537},
    # The guide's example: three traces, 1.0 + 12.5 + 1.7 s, 23 cents.
    '{ id = "analysis_abc123" } | sum_over_time(cost)': {"": 0.23},
    '{ id = "analysis_abc123" } | sum_over_time(trace_latency)': {"": 15_200},
    # Performance by user: of sessions whose last user it is ...
    "{ user != nil } | sum_over_time(cost) by (user) | topk(3)": {
        "user_123": 0.23, "user_15": 0.13004325, "user_2": 0.07767895},
    "{ user != nil } | sum_over_time(traces) by (user) | topk(3)": {
        "user_15": 12, "user_3": 10, "user_2": 8},
    # ... and of the traces of each, of whom two shared a session.
    '{ trace_user =~ ".*@example.com" } | avg_over_time(latency) by (trace_user)': {
        "alice@example.com": 7140, "bob@example.com": 4126},
    '{ trace_user =~ ".*@example.com" } | sum_over_time(trace_cost) by (trace_user)': {
        "alice@example.com": 0.03670855, "bob@example.com": 0.012969},
    "({ } | sum_over_time(latency) by (trace_user))"
    " / ({ } | avg_over_time(latency) by (trace_user)) > 7": {
        "user_15": 12, "user_3": 10, "": 10, "user_2": 8},
    # Alice's and Bob's traces shared one session of four.
    '{ trace_user =~ ".*@example.com" } | sum_over_time(traces) by (trace_user)': {
        "alice@example.com": 3, "bob@example.com": 1},
    "{ } | sum_over_time(traces) by (trace_user) | topk(4)": {
        "user_15": 12, "user_3": 10, "": 10, "user_2": 8},
    # Users with at least 5 sessions: user_2 had 6, whose traces took 24,199 ms.
    "({ user != nil } | count_over_time() by (user)) >= 5": {"user_2": 6},
    "(({ user != nil } | sum_over_time(trace_latency) by (user))"
    " / (({ user != nil } | count_over_time() by (user)) >= 5)) | topk(10)": {
        "user_2": 24_199 / 6},
    "(({ user != nil } | sum_over_time(cost) by (user))"
    " / (({ user != nil } | count_over_time() by (user)) >= 5)) | topk(10)": {
        "user_2": 0.07767895 / 6},
    # Average latency: 97 traces took 497,408 ms; of a session, of 40.
    "{ } | avg_over_time(latency)": {"": 497_408 / 97},
    "{ } | avg_over_time(trace_latency)": {"": 497_408 / 40},
    # Of the 97 latencies, a fifth of the way from the 92nd, 8,660, to the 93rd, 8,741.
    "latency_p95": {"": 8_660 + 0.2 * (8_741 - 8_660)},
    # Sessions by model: in how many sessions' models it is.
    "{ } | count_over_time() by (model)": {
        "claude-sonnet-4-5": 22, "gpt-4o-mini": 22, "gpt-4o": 21, "my-local-llama": 1},
    # What each model cost and read: added up over the generations in the lines, of
    # which an update replaces what was said before. The rest of the cost, 0.0405121,
    # is of a session without observations and of a retrieval: no model's.
    "model_cost by (model)": {
        "gpt-4o": 0.535485, "claude-sonnet-4-5": 0.47442, "gpt-4o-mini": 0.0218784,
        "my-local-llama": 0},
    "model_tokens by (model)": {
        "gpt-4o-mini": 106_940, "claude-sonnet-4-5": 101_992, "gpt-4o": 92_610,
        "my-local-llama": 6_631},
    "{ } | sum_over_time(model_calls) by (model)": {
        "gpt-4o": 34, "claude-sonnet-4-5": 32, "gpt-4o-mini": 31, "my-local-llama": 2},
    # Sessions by tag: a session counts for each of its tags.
    "{ } | count_over_time() by (tag) | topk(5)": {
        "chat": 18, "production": 7, "dev": 6, "experiment": 6, "staging": 6},
    '{ tag = "production" } | sum_over_time(cost)': {"": 0.39595255},
    # By what the application says of its users: the tier of a session is that of its
    # newest trace that has one; 11 sessions have none.
    "{ } | count_over_time() by (session.user_tier)": {"free": 17, "pro": 12, "": 11},
    "cost by (session.user_tier)": {
        "free": 0.42883595, "pro": 0.2332765, "": 0.41018305},
    "tokens by (session.user_tier)": {"free": 163_561, "pro": 95_825, "": 57_618},
    '{ session.user_tier = "pro" } | sum_over_time(model_cost) by (model)': {
        "claude-sonnet-4-5": 0.159903, "gpt-4o": 0.066565, "gpt-4o-mini": 0.0068085,
        "my-local-llama": 0},
    '{ session.content_type != "" } | count_over_time() by (session.content_type)': {
        "article": 11, "video": 11, "pdf": 8},
    # Errors: four sessions have observations of level ERROR.
    "{ errors > 0 } | count_over_time() by (app)": {
        "support-chat": 2, "skillforge-api": 1, "skillforge-worker": 1},
}  # fmt: skip

VISITORS: Figures = {
    # Key figures: 42 sessions, 24,680,052 ms, 123 views; 17 of them have errors.
    "sessions by (app)": {"shop-web": 22, "admin-web": 11, "docs-site": 9},
    "duration_avg": {"": 24_680_052 / 42},
    "duration_avg by (app)": {
        "shop-web": 19_821_880 / 22, "admin-web": 2_845_539 / 11,
        "docs-site": 2_012_633 / 9},
    "error_rate": {"": 17 / 42},
    "views_per_session": {"": 123 / 42},
    "views_per_session by (app)": {
        "shop-web": 66 / 22, "admin-web": 35 / 11, "docs-site": 22 / 9},
    # Cohorts by version: 9 of 22, 6 of 11, 2 of 9 have errors.
    "error_rate by (version)": {
        "1.4.2": 9 / 22, "3.0.0-rc.1": 6 / 11, "2026.11.1": 2 / 9},
    # Time spent: 5 under a minute, 2 over ten.
    "short_sessions": {"": 5}, "medium_sessions": {"": 35}, "long_sessions": {"": 2},
    # Error count: one session has 6.
    "{ errors = 0 } | count_over_time()": {"": 25},
    "minor_error_sessions": {"": 16}, "many_error_sessions": {"": 1},
    # Location: the collector knows none of the 9 of docs-site.
    "sessions by (country)": {
        "": 9, "JP": 8, "BR": 6, "DE": 6, "IN": 6, "US": 4, "GB": 3},
    '{ city = "São Paulo" } | count_over_time()': {"": 6},
    # Chrome and Chrome Mobile, Safari and Mobile Safari are one family each.
    "sessions by (browser)": {
        "": 9, "Safari": 12, "Chrome": 11, "Edge": 5, "Firefox": 5},
    "sessions by (os)": {"": 9, "macOS": 11, "Windows": 10, "iOS": 7, "Android": 5},
    "sessions by (environment)": {"production": 33, "staging": 9},
    # By e-mail; and by id, also where somebody else logged in later.
    '{ "jane.doe@example.com" } | count_over_time()': {"": 10},
    '{ user = "u-1003" } | count_over_time()': {"": 6},
    '{ user =~ "u-.*" } | count_over_time() by (user) | topk(1)': {"u-1001": 10},
    # Users: the 6 who logged in, and 8 visitors by their anonymous id; one session has
    # neither. The 6 and one of the 8 have more than one session.
    "active_users": {"": 14}, "returning_users": {"": 7},
    '{ user =~ "u-.*" } | distinct_over_time(user)': {"": 6},
    # Pages visited.
    '{ page = "/checkout" } | count_over_time()': {"": 5},
    # Bounces: of the 41 with a view, 7 have one. One lost its views.
    "bounce_rate": {"": 7 / 41},
    # Frustrations in two sessions, a crash in one, 35 recorded, 3 with failed requests.
    "frustration_rate": {"": 2 / 42}, "crash_free_rate": {"": 41 / 42},
    "{ has_replay = true } | count_over_time()": {"": 35},
    "{ failed_requests > 0 } | count_over_time()": {"": 3},
    "{ log_errors > 0 } | count_over_time()": {"": 1},
    # Attributes of the application's own: u-1003 has five sessions.
    '{ user.plan = "premium" } | count_over_time()': {"": 5},
}  # fmt: skip

ASKED = {"clm": COMPONENTS, "langfuse": MODELS, "openobserve": VISITORS}
CASES = [(name, text) for name, asked in ASKED.items() for text in asked]


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Index]]:
    """Return the index of each source's lines, as the indexer writes it."""
    folder = tmp_path_factory.mktemp("panels")
    made = {name: index_of(name, folder) for name in ASKED}
    yield made
    for index in made.values():
        index.close()


@pytest.fixture(scope="module")
def clients(indexes: dict[str, Index]) -> dict[str, FlaskClient]:
    """Return a client of a service over each index."""
    return {
        name: create_app(index.settings).test_client()
        for name, index in indexes.items()
    }


@pytest.mark.parametrize(("name", "text"), CASES)
def test_figures_are_those_written_down(
    indexes: dict[str, Index], name: str, text: str
) -> None:
    """A panel's figure is what the sessions' truths add up to."""
    reader = indexes[name].reader
    frame = instant(parse(text), END, reader, default_range_ms=7 * DAY, max_series=100)

    told = {", ".join(each.labels): each.values[0] for each in frame.series}
    assert told == pytest.approx(ASKED[name][text])


@pytest.mark.parametrize(
    ("text", "hourly"),
    [
        # By the hour in which their session began, from 07:00 to 15:00 on the 18th.
        ("sum_over_time(views)", [0, 10, 10, 11, 0, 24, 23, 18, 9, 0]),
        ("distinct_over_time(user)", [0, 6, 4, 5, 1, 4, 5, 6, 2, 0]),
        ("count_over_time()", [0, 6, 4, 6, 1, 6, 6, 6, 2, 0]),
    ],
)
def test_timelines_are_those_written_down(
    indexes: dict[str, Index], text: str, hourly: list[float]
) -> None:
    """Every hour has its figure, also 0."""
    start = 1_794_985_200_000
    window = Window(start, start + 10 * HOUR, HOUR, END)
    query = parse(f'{{ app = "clm-frontend" }} | {text}')

    frame = evaluate(query.figures, window, indexes["clm"].reader, max_series=10)

    assert frame.series[0].values == hourly


def test_slowest_sessions_are_listed(indexes: dict[str, Index]) -> None:
    """The list sorts by what traces took together, not by the wall clock."""
    window = Window(END - 7 * DAY, END, 0, END)
    query = parse("{ traces > 0 } | select(traces, trace_latency, cost)").sessions
    asked = Search(
        window, query.selector, sort="trace_latency", limit=3, columns=query.columns
    )

    rows = indexes["langfuse"].reader.search(asked).items

    listed = [(row["id"], row["traces"], row["trace_latency"]) for row in rows]
    assert listed == [
        ("long-chat", 8, 34_346),
        ("parallel-traces", 5, 30_000),
        ("chat-two-users", 4, 25_546),
    ]
    assert [row["cost"] for row in rows] == [0.06731805, 0.048, 0.04967755]


def test_all_ways_are_those_written_down(clients: dict[str, FlaskClient]) -> None:
    """What no query says at once, the whole Sankey diagram, ``/paths`` answers."""
    asked = {"from": 0, "to": END, "app": "clm-frontend", "top": 50, "format": "edges"}
    edges = clients["clm"].get("/api/v1/paths", query_string=asked).get_json()

    found = {
        f"{edge['source']} -> {edge['target']}": edge["value"]
        for edge in edges
        if "(" not in edge["source"] + edge["target"]
    }
    assert found == truth("clm")["aggregates"]["transitions"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        # As the session list filters: users, errors, place, device, time, version.
        ('{ user_name = "jane.doe@example.com" }', 10),
        ("{ errors > 5 }", 1),
        ('{ country = "BR" && errors > 0 }', 3),
        ('{ browser = "Chrome" && os = "Android" }', 5),
        ("{ duration > 10m }", 2),
        ('{ environment = "staging" && version = "2026.11.1" }', 9),
    ],
)
def test_session_list_can_be_filtered(
    clients: dict[str, FlaskClient], filters: str, found: int
) -> None:
    """Every filter of the session list finds as many as were written down."""
    asked: dict[str, Any] = {"q": filters, "from": 0, "to": END, "limit": 1}

    answer = clients["openobserve"].get("/api/v1/sessions", query_string=asked)

    assert answer.get_json()["total"] == found
