"""What a configuration must not say, and what is answered."""

import time
from pathlib import Path

import pytest

from app.configuration.load import load_settings
from app.errors import SettingsError
from tests.settings.conftest import Refuse


def test_all_problems_are_said_at_once(refuse: Refuse) -> None:
    """Each problem has its place, its value and its remedy, and none hides another."""
    said = refuse(
        """\
        prot: 80
        port: eighty
        sources:
          - name: a
            lag: 10
          - name: a
        """,
        SKALD_LOKI_URL="loki:3100",
    )

    assert said.splitlines() == [
        "5 problems in the configuration:",
        "  skald.yml:2:7: port: 'eighty' is no whole number; write digits only",
        "  skald.yml:1:1: prot is no setting; did you mean 'port'?",
        (
            "  SKALD_LOKI_URL: loki.url: 'loki:3100' is no http(s) address; "
            "it looks like http://loki.example:3100"
        ),
        (
            "  skald.yml:5:10: sources[0].lag: '10' has no unit; "
            "write 500ms, 10s, 15m, 1h30m or 90d"
        ),
        (
            "  skald.yml:6:11: sources[1].name: 'a' is the name of the source at "
            "skald.yml:4:11 too; give each its own"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port: 0", "skald.yml:1:7: port: '0' is too small; the least is 1"),
        ("port: 65536", "the most is 65535"),
        ("port:", "port: is empty; give it a value or remove it"),
        ("port: [1]", "port: is no single value; write `key: value`"),
        ("port: {a: 1}", "port: is no single value; write `key: value`"),
        ("retention: 1s", "'1s' is too small; the least is 1h"),
        ("retention: soon", "'soon' is not a duration; write 500ms, 10s"),
        ("max_body_bytes: 5", "'5' has no unit; write 512KiB, 3MiB or 1GiB"),
        ("bounce: singel_view", "is not known; did you mean 'single_view'?"),
        ("log_level: loud", "known: debug, info, warning, error"),
        ("url: http://x", "url is no setting; did you mean loki.url?"),
        ("index: .", "is a directory; name a file in it"),
        ("sources: [{sampling: [{rate: 150%}]}]", "too large; the most is 100%"),
        ("sources: [{sampling: [{rate: 0}]}]", "too small; the least is 0.0001%"),
        ("sources: [{sampling: [{rate: half}]}]", "no share; write 25% or 0.25"),
        ("sources: [{sampling: [{apps: a}]}]", "did you mean 'app'?"),
        ("port: 1\nport: 2", "skald.yml:2:1: 'port' stands at skald.yml:1:1 already"),
        ("sources: x", "sources: is no list; begin each item with `- `"),
        ("sources: [x]", "sources[0]: is no section; write `key: value` under it"),
        ("loki: x", "loki: is no section"),
        ("- a", "skald.yml:1:1: is no mapping; write lines like"),
        ("a: b: c", "skald.yml:1:5: is not YAML: mapping values are not allowed"),
        ("a: !x b", "has a tag (!...), which means nothing"),
        ("--- {}\n--- {}", "is not YAML: expected a single document"),
        ("a: \x01", "is not YAML"),
        ("host: 'a\n\n  b'", "holds a line end or a control character"),
        ("loki: {gzip: 1}", "loki.gzip: '1' is neither true nor false"),
        ("loki: {url: 'http://x:99999'}", "is no http(s) address"),
        ("loki: {url: 'http://x/loki/api/v1'}", "goes too far; remove /loki/api"),
        ("loki: {ca_file: gone.pem}", "'gone.pem' cannot be read: No such file"),
        ("loki: {password: x}", "loki.password: has no username; add loki.username"),
        ("loki: {token: x, username: y}", "username and token are all set"),
        ("sources: [{format: farro}]", "is no format; did you mean 'faro'?"),
        ("sources: [{selector: app=x}]", "is no LogQL selector; write one like"),
        ("sources: [{selector: '{}'}]", "selects by no label; write one like"),
        ("sources: [{name: 'a b'}]", "is no name; use up to 64 letters"),
        ("sources: [{lag: 2h}]", "lag: '2h' is more than horizon, '1h'; lower it"),
        ("cors_origins: [grafana]", "is no http(s) address"),
        ("cors_origins: ['http://a/b']", "goes past the port"),
        ("&a [*a]", "is nested too deeply"),
    ],
)
def test_refusal_says_place_and_remedy(refuse: Refuse, text: str, said: str) -> None:
    """What is wrong in the file is shown where it stands."""
    answer = refuse(text)

    assert said in answer
    assert answer.splitlines()[1].startswith("  skald.yml:")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("SKALD_PROT", "1", "SKALD_PROT: is no setting; did you mean 'SKALD_PORT'?"),
        ("SKALD_PORT", "x", "SKALD_PORT: port: 'x' is no whole number"),
        ("SKALD_SOURCES_0_LAGG", "1s", "did you mean 'SKALD_SOURCES_0_LAG'?"),
        ("SKALD_SOURCES_4_LAG", "1s", "SKALD_SOURCES_4_LAG: there is no source 0"),
        ("SKALD_LOKI_CA_FILE", "/gone", "'/gone' cannot be read: No such file"),
        ("SKALD_CONFIG", "gone.yml", "gone.yml: cannot be read: No such file"),
        ("SKALD_CONFIG", "/", "/: cannot be read: Is a directory"),
    ],
)
def test_variable_is_refused_by_its_name(
    refuse: Refuse, name: str, text: str, said: str
) -> None:
    """What is wrong in the environment is shown with the variable's name."""
    assert said in refuse(**{name: text})


def test_variables_cannot_turn_a_value_into_a_section(refuse: Refuse) -> None:
    """A file with another shape is refused once, not overruled."""
    assert refuse("loki: x", SKALD_LOKI_TENANT="a").count("\n") == 1


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A binary file is named, not shown."""
    path = tmp_path / "skald.yml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="is not text in UTF-8; save it as such"):
        load_settings(path, {})


def test_aliases_of_aliases_end(refuse: Refuse) -> None:
    """A file of a few lines that unfolds to billions is refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    began = time.monotonic()
    refuse("\n".join(lines))

    assert time.monotonic() - began < 5
