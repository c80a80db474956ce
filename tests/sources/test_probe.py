"""``doctor`` learns what works, and what to do about what does not."""

import pytest

from app.demo.standin import Auth, StandIn
from tests.sources.builders import SECOND, START, entry, follow, http, raw_server
from tests.sources.conftest import PLAIN

HOUR = 3_600 * SECOND
NOW = START + 600 * SECOND


def test_a_loki_that_can_be_read_passes_every_check(loki: StandIn) -> None:
    """Ready, a version, streams, and the newest lines, newest first."""
    loki.load([entry(at * SECOND, str(at), metadata={"n": "1"}) for at in range(130)])
    source = follow(loki)

    probe = source.probe(NOW)
    source.close()

    assert [check.name for check in probe.checks] == [
        *("ready", "version", "streams", "entries")
    ]
    assert all(check.is_good for check in probe.checks)
    assert [each.line for each in probe.entries] == [
        str(at) for at in range(129, 29, -1)
    ]
    assert probe.entries[0].metadata == {"n": "1"}


def test_an_empty_loki_has_a_remedy(loki: StandIn) -> None:
    """Reachable, but nothing matches: look at selector, tenant, collector."""
    source = follow(loki)

    checks = {check.name: check for check in source.probe(NOW).checks}
    source.close()

    assert checks["ready"].is_good
    assert "selector and loki.tenant" in checks["streams"].remedy
    assert "collector" in checks["entries"].remedy


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0, "hour"), (20, "day"), (100, "week"), (700, "30 days")],
)
def test_a_quiet_stream_is_looked_at_further_back(
    loki: StandIn, hours: int, said: str
) -> None:
    """What nobody used for days is there, and is told apart from what is live."""
    loki.load([entry(0, "x")])
    source = follow(loki)

    probe = source.probe(NOW + hours * HOUR)
    source.close()

    checks = {check.name: check for check in probe.checks}
    assert [each.line for each in probe.entries] == ["x"]
    assert checks["streams"].detail.endswith(f"in the last {said}")
    assert bool(checks["entries"].remedy) == bool(hours)


def test_few_new_lines_are_not_all_that_is_looked_at(loki: StandIn) -> None:
    """One odd line of this hour does not hide what the stream usually holds."""
    loki.load(
        [entry(at * SECOND, "usual", metadata={"n": str(at)}) for at in range(30)]
    )
    loki.load([entry(3 * 24 * HOUR, "odd")])
    source = follow(loki)

    probe = source.probe(NOW + 3 * 24 * HOUR)
    source.close()

    assert len(probe.entries) == 31
    assert probe.entries[0].line == "odd"
    assert not {check.name: check for check in probe.checks}["entries"].remedy


def test_each_failure_has_a_remedy() -> None:
    """Wrong token, wrong place, nobody there: nothing is raised."""
    body = http(b"<html>a shop</html>", "text/html")
    with (
        StandIn(limits=PLAIN, auth=Auth(bearer="t")) as loki,
        raw_server(lambda line, _asked: line.sendall(body)) as other,
    ):
        for address in (loki.url, other, "http://127.0.0.1:1"):
            source = follow(address, retries=0)
            bad = [each for each in source.probe(NOW).checks if not each.is_good]
            source.close()

            assert {"version", "streams", "entries"} <= {each.name for each in bad}
            assert all("loki." in each.remedy for each in bad)
