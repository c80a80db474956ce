"""``doctor`` learns what works, and what to do about what does not."""

from app.demo.standin import Auth, StandIn
from tests.sources.builders import SECOND, START, entry, follow, http, raw_server
from tests.sources.conftest import PLAIN

NOW = START + 600 * SECOND


def test_a_loki_that_can_be_read_passes_every_check(loki: StandIn) -> None:
    """Ready, a version, streams, and the newest lines, newest first."""
    loki.load([entry(at * SECOND, str(at), metadata={"n": "1"}) for at in range(30)])
    source = follow(loki)

    probe = source.probe(NOW)
    source.close()

    assert [check.name for check in probe.checks] == [
        *("ready", "version", "streams", "entries")
    ]
    assert all(check.is_good for check in probe.checks)
    assert [each.line for each in probe.entries] == [str(at) for at in range(29, 9, -1)]
    assert probe.entries[0].metadata == {"n": "1"}


def test_an_empty_loki_has_a_remedy(loki: StandIn) -> None:
    """Reachable, but nothing matches: look at selector, tenant, collector."""
    source = follow(loki)

    checks = {check.name: check for check in source.probe(NOW).checks}
    source.close()

    assert checks["ready"].is_good
    assert "selector and loki.tenant" in checks["streams"].remedy
    assert "collector" in checks["entries"].remedy


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
