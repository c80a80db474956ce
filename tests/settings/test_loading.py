"""What a configuration file and the environment may say."""

from pathlib import Path

import pytest

from app.configuration.load import load_settings
from app.settings import LokiSettings, SamplingSettings, Settings
from tests.settings.conftest import Load


def test_nothing_said_means_defaults(load: Load) -> None:
    """Without a file and variables, every setting has its default."""
    assert load() == Settings()


def test_file_of_comments_means_defaults(load: Load) -> None:
    """A file in which everything is commented out says nothing."""
    assert load("# port: 80\n") == Settings()


def test_durations_and_sizes_are_text(load: Load) -> None:
    """Durations and sizes carry their unit, whatever the unit of the field is."""
    settings = load(
        """
        retention: 1w
        query_timeout: 1m30s
        loki: {page_bytes: 2MiB, max_query_length: 7d, timeout: 500ms}
        sources:
          - lag: 1.5s
        """
    )

    assert settings.retention_ms == 7 * 86_400_000
    assert settings.query_timeout_s == 90.0
    assert settings.sources[0].lag_ms == 1_500
    assert settings.sources[0].loki == LokiSettings(
        page_bytes=2 << 20, max_query_length_s=7 * 86_400, timeout_s=0.5
    )


def test_loki_of_all_is_overridden_in_parts(load: Load) -> None:
    """A source takes the connection of all, but for what it says itself."""
    settings = load(
        """
        loki: {url: "http://loki:3100/", tenant: all, token: t}
        sources:
          - name: shop
          - name: bank
            loki: {tenant: bank, username: u, password: p}
        """
    )

    shop, bank = (source.loki for source in settings.sources)
    assert (shop.url, shop.tenant, shop.token) == ("http://loki:3100", "all", "t")
    assert (bank.url, bank.tenant, bank.username) == ("http://loki:3100", "bank", "u")
    assert bank.token == "", "it says another way of showing who it is"


def test_sampling_is_a_list_of_rates(load: Load) -> None:
    """A share is written in percent or as a part of one; the order is kept."""
    settings = load(
        """
        sources:
          - name: shop
            sampling:
              - {app: shop, version: "2.1", rate: 12.5%}
              - {app: shop, rate: 0.25}
        """
    )

    assert settings.sources[0].sampling == (
        SamplingSettings("shop", "2.1", 0.125),
        SamplingSettings("shop", "", 0.25),
    )


def test_every_setting_has_its_variable(load: Load) -> None:
    """The environment says what the file could, and is heard over it."""
    settings = load(
        "{port: 1, loki: {tenant: file}, sources: [{name: a}]}",
        SKALD_PORT="2",
        SKALD_LOKI_TENANT="all",
        SKALD_CORS_ORIGINS="https://a.example, https://b.example",
        SKALD_SOURCES_0_SELECTOR='{app="a"}',
        SKALD_SOURCES_1_NAME="b",
        SKALD_SOURCES_1_LOKI_TENANT="b",
    )

    assert settings.port == 2
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    said = [(each.name, each.selector, each.loki.tenant) for each in settings.sources]
    assert said == [("a", '{app="a"}', "all"), ("b", '{kind=~".+"}', "b")]


def test_empty_variable_says_nothing(load: Load) -> None:
    """Compose files pass ``${X:-}``; that is not a value."""
    assert load("port: 1", SKALD_PORT="").port == 1


def test_variables_that_kubernetes_sets_are_not_ours(load: Load) -> None:
    """A service called skald puts addresses into variables that look like settings."""
    settings = load(
        SKALD_PORT="tcp://10.0.0.1:8700",
        SKALD_PORT_8700_TCP_ADDR="10.0.0.1",
        SKALD_SERVICE_HOST="10.0.0.1",
        SKALD_SERVICE_PORT_HTTP="8700",
    )

    assert settings == Settings()


@pytest.mark.parametrize("key", ["password", "token"])
def test_secret_comes_from_a_file(load: Load, tmp_path: Path, key: str) -> None:
    """A secret's variable with ``_FILE`` names the file that holds it."""
    (tmp_path / "secret").write_text("geheim\n")

    name = f"SKALD_LOKI_{key.upper()}_FILE"
    loki = load("loki: {tenant: a}", **{name: "secret"}, **_user(key)).sources[0].loki

    assert loki.password == "geheim" if key == "password" else loki.token_file


def _user(key: str) -> dict[str, str]:
    return {"SKALD_LOKI_USERNAME": "u"} if key == "password" else {}


def test_paths_are_relative_to_the_file_that_says_them(tmp_path: Path) -> None:
    """The file says where the index is, wherever Skald is started."""
    path = tmp_path / "etc" / "skald.yml"
    path.parent.mkdir()
    path.write_text("index: var/skald.db")

    assert load_settings(path, {}).index == tmp_path / "etc/var/skald.db"
    assert load_settings(path, {"SKALD_INDEX": "x.db"}).index == Path("x.db")


def test_skald_config_names_the_file(tmp_path: Path) -> None:
    """Without ``--config``, SKALD_CONFIG says where the file is."""
    (tmp_path / "other.yml").write_text("port: 5")

    assert load_settings(None, {"SKALD_CONFIG": str(tmp_path / "other.yml")}).port == 5
