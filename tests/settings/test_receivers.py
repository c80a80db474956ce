"""Receivers are a list, as sources are, and refused with the same care."""

from pathlib import Path

from tests.settings.conftest import Load, Refuse


def test_receivers_in_a_file(load: Load) -> None:
    """Each item is a receiver with its own settings."""
    settings = load("""
        remote_write:
        - {url: http://prometheus:9090/api/v1/write, out_of_order: 6h}
        - {name: mimir, url: https://mimir.example/api/v1/push, tenant: web, token: t}
        """)

    first, second = settings.remote_write
    assert (first.name, first.out_of_order_ms) == ("prometheus", 6 * 3_600_000)
    assert (second.name, second.tenant, second.token) == ("mimir", "web", "t")


def test_receivers_in_the_environment(load: Load, tmp_path: Path) -> None:
    """Variables carry the number of the receiver; a secret may come from a file."""
    secret = tmp_path / "secret"
    secret.write_text("pass\n")
    settings = load(
        SKALD_REMOTE_WRITE_0_URL="http://mimir/api/v1/push",
        SKALD_REMOTE_WRITE_0_USERNAME="skald",
        SKALD_REMOTE_WRITE_0_PASSWORD_FILE=str(secret),
        SKALD_REMOTE_WRITE_0_OUT_OF_ORDER="1h",
    )

    only = settings.remote_write[0]
    assert (only.url, only.password) == ("http://mimir/api/v1/push", "pass")
    assert "pass" not in repr(only)


def test_what_is_refused(refuse: Refuse) -> None:
    """Names that come twice, two ways to say who we are, and half of one."""
    said = refuse("""
        remote_write:
        - {token: a, username: b}
        - {name: prometheus, password: c}
        - {name: other, url: mimir, samples: 0}
        """)

    assert "remote_write[0]: username and token are all set" in said
    assert "remote_write[1].name: 'prometheus' is the name of the receiver at" in said
    assert "remote_write[1].password: has no username" in said
    assert "remote_write[2].url: 'mimir' is no http(s) address" in said
    assert "remote_write[2].samples: '0' is too small" in said
