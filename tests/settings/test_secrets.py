"""A secret is never shown."""

import pytest
import yaml

from app.configuration.shape import LOKI, ROOT, variable
from app.configuration.show import show_settings
from app.settings import Settings
from tests.settings.conftest import Load, Refuse

SECRET = "hunter2-and-more"
ALL = """
api_token: hunter2-and-more
sources:
  - {name: a, loki: {username: u, password: hunter2-and-more}}
  - {name: b, loki: {token: hunter2-and-more}}
"""


def test_settings_are_printed_and_represented_without_secrets(load: Load) -> None:
    """Neither what a person prints nor what a traceback shows holds a secret."""
    settings = load(ALL)

    shown = show_settings(settings)

    assert SECRET not in shown + repr(settings) + str(settings)
    assert shown.count("'***'") == 3


def test_printed_settings_can_be_loaded(load: Load) -> None:
    """Without secrets, what is printed says the same again."""
    settings = load("{port: 9, sources: [{name: x, lag: 3s, loki: {gzip: true}}]}")

    shown = show_settings(settings)

    assert load(shown) == settings
    assert yaml.safe_load(shown)["sources"][0]["loki"]["gzip"] is True


@pytest.mark.parametrize(
    "text",
    [
        f"loki: {{password: *{SECRET}}}",
        f"loki: {{password: !{SECRET} x}}",
        f"loki: {{password: &{SECRET}}}",
        f"loki: {{password: [{SECRET}]}}",
        f"loki: {{token: {SECRET}, token_file: /x}}",
        f"loki: {{token: {SECRET}, username: a}}",
        f"loki: {{password: '{SECRET}",
        f'loki: {{password: "{SECRET}\\n"}}',
        f"loki: {{url: 'http://u:{SECRET}@loki'}}",
        f"loki: {{url: 'http://loki?token={SECRET}'}}",
        f"loki: {{password: %{SECRET}}}",
        f"loki: {{password: @{SECRET}}}",
    ],
)
def test_refusal_quotes_no_secret(refuse: Refuse, text: str) -> None:
    """However a secret is miswritten, it does not reach a terminal or a log."""
    assert SECRET not in refuse(text)


def test_every_secret_can_come_from_a_file() -> None:
    """No secret has to stand in a variable or in the configuration."""
    for shape in (ROOT, LOKI):
        secrets = [key for key, (_, note) in shape.settings.items() if note.is_secret]
        assert secrets
        assert all(f"{key}_file" in shape.keys for key in secrets)


def test_defaults_hold_no_secret() -> None:
    """Nobody is let in by what everybody can read."""
    settings = Settings()

    assert settings.api_token == settings.sources[0].loki.password == ""
    assert variable(("loki", "password")) == "SKALD_LOKI_PASSWORD"
