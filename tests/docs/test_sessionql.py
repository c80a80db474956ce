"""Every query of the documentation runs, and says what the documentation says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.sessionql.evaluate import evaluate
from app.sessionql.language import QueryError, parse
from app.sessionql.plan import Window
from app.store.seam import Search
from tests.corpus.corpus import entries
from tests.driver import Index

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("sessionql.md", "coming-from-logql-and-promql.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WINDOW = Window(1_795_166_100_000, 1_795_166_400_000, 0, 1_795_166_400_000)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """List the queries of a page: what it shows, the query, the answer or nothing."""
    found = FENCE.findall((DOCS / page).read_text("utf-8"))
    return [
        (kind, text.strip(), _answer(found[n + 1 : n + 2]))
        for n, (kind, text) in enumerate(found)
        if kind in {"sessionql", "refused"}
    ]


def _answer(following: list[tuple[str, str]]) -> str:
    return following[0][1].rstrip() if following and following[0][0] == "text" else ""


EXAMPLES = [each for page in PAGES for each in blocks(page)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: Any) -> Iterator[Index]:
    """Return the index of the recorded sessions."""
    index = Index(tmp_path_factory.mktemp("corpus") / "skald.db")
    index.feed(entries("lines"))
    index.backfill()
    yield index
    index.close()


@pytest.mark.parametrize(
    ("kind", "text", "answer"), EXAMPLES, ids=[text[:60] for _, text, _ in EXAMPLES]
)
def test_query_says_what_is_written(
    corpus: Index, kind: str, text: str, answer: str
) -> None:
    """A query that is shown is answered, or refused, as shown."""
    told = ask(corpus, text) if kind == "sessionql" else refusal(text)

    assert told == (answer or told)


def ask(index: Index, text: str) -> str:
    """Answer a query as the documentation shows answers."""
    query = parse(text)
    if query.kind == "sessions":
        plan = query.sessions
        search = Search(WINDOW, plan.selector, limit=100, columns=plan.columns)
        found = index.reader.search(search)
        assert {"id", "app", "start", *plan.columns} <= set(found.items[0])
        return f"{found.total} sessions"
    frame = evaluate(query.figures, WINDOW, index.reader, max_series=100)
    rows = [
        f"{', '.join(series.labels)}  {value:.10g}".strip()
        for series in frame.series
        for value in series.values
        if value is not None
    ]
    return "\n".join(rows)


def refusal(text: str) -> str:
    """Return what is said of a query that cannot be meant."""
    with pytest.raises(QueryError) as refused:
        parse(text)
    return str(refused.value)
