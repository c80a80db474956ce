"""Journeys over HTTP: the shapes that Grafana wants, their bounds, their refusals."""

from tests.api.conftest import Get


def test_graph_has_entry_and_exit(get: Get) -> None:
    """Nodes and edges as Grafana's node graph takes them, by ids that meet."""
    nodes, edges = get("paths", format="nodes"), get("paths", format="edges")

    ids = {node["id"] for node in nodes}
    assert ids == {"(entry)", "(exit)", "/", "/cart", "/pay", "/post"}
    assert {edge["source"] for edge in edges} | {
        edge["target"] for edge in edges
    } == ids
    root = next(node for node in nodes if node["id"] == "/")
    assert (root["visits"], root["mainStat"]) == (8, "8")
    assert root["secondaryStat"] == "2 min"
    assert {edge["mainStat"] for edge in edges} == {str(e["value"]) for e in edges}
    assert (root["arc__ok"], root["arc__exit"]) == (0.75, 0.25)
    assert len({edge["id"] for edge in edges}) == len(edges)


def test_matrix_has_a_column_a_place(get: Get) -> None:
    """All rows have the same keys, 0 where nobody went."""
    rows = get("paths", format="matrix", app="shop")

    by_page = {row["page"]: row for row in rows}
    assert by_page["/"]["/cart"] == 6
    assert by_page["/"]["/pay"] == 0
    assert len({tuple(row) for row in rows}) == 1


def test_steps_are_told_apart(get: Get) -> None:
    """With a depth each step has places of its own."""
    forward = get("paths", format="flow", after="/cart", depth=2)
    backward = get("paths", format="flow", before="/pay", depth=1)

    assert [(row["source"], row["target"], row["value"]) for row in forward] == [
        ("0:/cart", "1:(exit)", 6),
        ("0:/cart", "1:/pay", 1),
        ("1:/pay", "2:(exit)", 1),
    ]
    assert {(row["source"], row["target"]) for row in backward} == {
        ("-1:/cart", "0:/pay"),
        ("-1:(entry)", "0:/pay"),
        ("-2:(entry)", "-1:/cart"),
    }


def test_what_is_cut_is_said(get: Get) -> None:
    """Pages beyond the top are one place, and a notice tells of it."""
    page = get("paths", top=1, limit=2)

    assert {node["title"] for node in page["nodes"]} <= {
        "(entry)",
        "/",
        "(other)",
        "(exit)",
    }
    assert page["notices"] == [
        "1 of 4 pages told apart",
        f"showing 2 of {len(get('paths', top=1)['edges'])} edges",
    ]


def test_a_sample_is_an_estimate(get: Get) -> None:
    """Every figure of a sample says that it is one."""
    page = get("paths", sample=3)

    assert page["sample"] == 3
    assert page["sessions"] % 3 == 0
    assert (
        page["notices"][0] == "estimated from one session in 3; sample=1 looks at all"
    )


def test_funnel_by_a_field(get: Get) -> None:
    """A row for each value and step, the largest first, filters applied to sessions."""
    rows = get("funnel", format="rows", steps="/,/cart", by="browser", app="shop")

    assert [(row["browser"], row["step"], row["sessions"]) for row in rows] == [
        ("Chrome", 1, 6),
        ("Chrome", 2, 6),
        ("Safari", 1, 1),
        ("Safari", 2, 0),
    ]
    assert rows[1]["took_avg"] == 120_000


def test_funnel_mixes_kinds_of_events(get: Get) -> None:
    """Pages, actions and errors are steps; who drops off is listed."""
    page = get("funnel", step=["page=/cart,/pay", "error=TypeError"], dropped=1)

    assert [row["sessions"] for row in page["steps"]] == [8, 1]
    assert len(page["dropped"]) == 7
    assert "s2" not in {row["id"] for row in page["dropped"]}
    assert (
        get("funnel", step=["/pay", 'action=["buy, now"]'])["steps"][1]["sessions"] == 1
    )


def test_funnel_keeps_its_time(get: Get) -> None:
    """Who took longer than the limit did not make it; strictly, nothing lies between."""
    quick = get("funnel", steps="/,/cart", within="1m", format="rows")
    strict = get("funnel", steps="/,/cart", strict="true", format="rows")

    assert [row["sessions"] for row in quick] == [8, 0]
    assert [row["sessions"] for row in strict] == [8, 6]


def test_pages_are_ranked_page_by_page(get: Get) -> None:
    """Following the cursor shows every page once."""
    seen, cursor = [], ""
    while cursor is not None:
        page = get("pages", limit=1, cursor=cursor, sort="dwell_avg", order="asc")
        seen += [each["page"] for each in page["items"]]
        cursor = page["next_cursor"]

    assert sorted(seen) == ["/", "/cart", "/pay", "/post"]
    assert page["total"] == 4


def test_wrong_questions_are_refused(refuse: Get) -> None:
    """Steps, sorts, cursors and both ends at once; the message says what would do."""
    assert "2 to 20 steps, not 1" in refuse("funnel", step="/cart")
    assert "did you mean 'action'?" in refuse("funnel", step=["actoin=x", "/cart"])
    assert "no step after step 2" in refuse("funnel", steps="/,/cart", dropped=2)
    assert "fields of sessions" in refuse("funnel", steps="/,/cart", by="page")
    assert "cannot read 'soon'" in refuse("funnel", steps="/,/cart", within="soon")
    assert "not both" in refuse("paths", after="/", before="/cart")
    assert "did you mean 'views'?" in refuse("pages", sort="-view")
    assert "no cursor of ours" in refuse("pages", cursor="WzFd")
    assert "another order" in refuse(
        "pages", cursor=_first_cursor(), sort="views", order="asc"
    )


def _first_cursor() -> str:
    return "WyJ2aWV3cyIsdHJ1ZSw3LDhd"  # ["views", true, 7, 8]
