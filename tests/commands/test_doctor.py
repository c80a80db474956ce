"""`skald doctor` says what works, what does not, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import clock
from app.demo.standin import Auth, Limits, StandIn
from app.model import Entry
from tests.build import page_load
from tests.commands.conftest import Skald
from tests.worlds import PLAIN

MS = 1_000_000


@pytest.fixture
def closed() -> Iterator[StandIn]:
    """Return a stand-in that wants a tenant and a token."""
    with StandIn(limits=PLAIN, auth=Auth(tenants=True, bearer="right")) as loki:
        loki.load(page_load("s1", clock.now() - 60_000), tenant="ours")
        yield loki


def loki_settings(**known: str) -> str:
    """Write more settings of the Loki."""
    return "\n".join(f"      {name}: {value}" for name, value in known.items())


def test_all_is_well(skald: Skald) -> None:
    """When everything works, it says so, and what it makes of the newest lines."""
    done = skald("doctor")

    assert done.exit_code == 0, done.output
    assert "FAIL" not in done.output
    assert "6 of 6 are understood as faro" in done.output
    assert "shop" in done.output


def test_index_is_looked_at(skald: Skald) -> None:
    """An index that is there is told in sessions and megabytes."""
    skald("index", "--once")

    assert "2 sessions" in skald("doctor").output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9", "127.0.0.1:9"),
        ("http://no.such.host.invalid:3100", "no.such.host.invalid"),
    ],
)
def test_loki_away(skald: Skald, url: str, said: str) -> None:
    """A Loki that cannot be reached is a failure with its address."""
    done = skald("doctor", url=url)

    assert done.exit_code == 1
    assert "FAIL" in done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_wrong_url(skald: Skald, loki: StandIn) -> None:
    """Something that is no Loki is told from one."""
    done = skald("doctor", url=f"{loki.url}/grafana")

    assert done.exit_code == 1
    assert "FAIL" in done.output
    assert "url" in done.output


def test_wrong_token(skald: Skald, closed: StandIn) -> None:
    """A token that is not let in is said to be the matter, and not shown."""
    more = loki_settings(token="wr0ng-secret", tenant="ours")
    done = skald("doctor", url=closed.url, more=more)

    assert done.exit_code == 1
    assert "401" in done.output
    assert "wr0ng-secret" not in done.output


def test_missing_tenant(skald: Skald, closed: StandIn) -> None:
    """A Loki that wants a tenant says so, and the remedy names the setting."""
    done = skald("doctor", url=closed.url, more=loki_settings(token="right"))

    assert done.exit_code == 1
    assert "tenant" in done.output


def test_wrong_tenant(skald: Skald, closed: StandIn) -> None:
    """A tenant that has no lines is told: nothing matches, look at the tenant."""
    more = loki_settings(token="right", tenant="theirs")
    done = skald("doctor", url=closed.url, more=more)

    assert done.exit_code == 1
    assert "none matches" in done.output
    assert "tenant" in done.output


def test_right_tenant_and_token(skald: Skald, closed: StandIn) -> None:
    """With the right ones all is well."""
    more = loki_settings(token="right", tenant="ours")

    assert skald("doctor", url=closed.url, more=more).exit_code == 0


def test_lines_of_another_format(skald: Skald) -> None:
    """Lines that are not Faro's are shown, with what to set."""
    now = (clock.now() - 60_000) * MS
    with StandIn(limits=Limits(discover_log_levels=False)) as other:
        line = 'level=info msg="GET /cart" caller=main.go:7'
        other.load(
            Entry(now + n, f"{line} n={n}", {"job": "faro"}, {}) for n in range(5)
        )
        done = skald("doctor", url=other.url)

    assert done.exit_code == 1
    assert "0 of 5 are understood as faro; not used: 5 not_faro" in done.output
    assert "main.go:7" in done.output
    assert "`format:` or `selector:`" in done.output


def test_foreign_index(skald: Skald, tmp_path: Path) -> None:
    """A file that is no index is said to be none."""
    (tmp_path / "skald.db").write_text("diary\n" * 900)
    done = skald("doctor")

    assert done.exit_code == 1
    assert "no Skald index" in done.output
