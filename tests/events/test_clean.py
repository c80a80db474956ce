"""What strangers write is made safe to keep: ids, URLs, texts, names of devices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events import clean, devices
from app.events.decoder import MAX_URL


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (
            "https://x.io/a?token=s3cret&utm_source=n",
            "https://x.io/a?token=&utm_source=n",
        ),
        ("https://me:pw@x.io/a#access_token=1", "https://x.io/a"),
        ("https://x.io/a?q=me@mail.io", "https://x.io/a?q="),
        ("/a/b?email=x#y", "/a/b?email="),
        ("https://x.io/a", "https://x.io/a"),
        ("https://x.io?ref=ig", "https://x.io?ref=ig"),
        ("", ""),
    ],
)
def test_secrets_leave_urls(url: str, kept: str) -> None:
    """Users, fragments and values go; names of parameters and campaigns stay."""
    assert clean.redact_url(url) == kept


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing(url: str) -> None:
    """What is redacted is short, and stays as it is."""
    once = clean.redact_url(url)

    assert clean.redact_url(once) == once
    assert len(once) <= MAX_URL
    assert "#" not in once


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://x.io/a/b?c#d", "/a/b"),
        ("https://x.io", "/"),
        ("https://x.io?q", "/"),
        ("/a?b", "/a"),
        ("", ""),
    ],
)
def test_path_is_what_follows_the_host(url: str, path: str) -> None:
    """The path has no query and no fragment, and is / for a bare host."""
    assert clean.path_of(url) == path


@pytest.mark.parametrize(
    "raw", ["", " ", "null", "NULL", "undefined", "none", "\t", "x" * 201]
)
def test_no_id_is_no_id(raw: str) -> None:
    """Blank, null and endless ids are none."""
    assert clean.session_id(raw) == ""


def test_id_is_kept_as_it_is() -> None:
    """Blanks around it go, nothing else."""
    assert clean.session_id(" aB3 ") == "aB3"


@pytest.mark.parametrize("url", ["https://[", "http://[::1", "x:y:z", "//", "\0"])
def test_broken_url_has_no_host(url: str) -> None:
    """What is no URL has no host, and raises nothing."""
    assert isinstance(clean.host_of(url), str)


def test_equal_errors_read_alike() -> None:
    """Numbers, ids and addresses do not tell errors apart."""
    first = clean.mask_numbers("order 8123 of 3f2a9c71e0 failed at 0xdeadbeef")
    second = clean.mask_numbers("order 9 of 88aa00ffee failed at 0x1")

    assert first == second == "order # of # failed at #"


@pytest.mark.parametrize(
    ("agent", "is_mobile", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36",
            False,
            "desktop",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6) Mobile/15E148 Safari/604.1",
            True,
            "mobile",
        ),
        ("Mozilla/5.0 (iPad; CPU OS 17_5) Mobile/15E148 Safari/604.1", True, "tablet"),
        (
            "Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0 Safari/537.36",
            True,
            "tablet",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0 Mobile Safari/537.36",
            True,
            "mobile",
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://google.com/bot.html)",
            True,
            "bot",
        ),
        ("Mozilla/5.0 (X11; Linux) HeadlessChrome/142.0 Safari/537.36", False, "bot"),
        ("", False, "desktop"),
        ("", True, "mobile"),
    ],
)
def test_device_is_told_from_the_agent(
    agent: str, *, is_mobile: bool, device: str
) -> None:
    """Bots and tablets say who they are; the SDK says what is mobile."""
    assert devices.device(agent, is_mobile=is_mobile) == device


@pytest.mark.parametrize(
    ("told", "family"),
    [
        ("Mac OS 10.15.7", "macOS"),
        ("Windows 10", "Windows"),
        ("Linux unknown", "Linux"),
        ("Ubuntu unknown", "Ubuntu"),
        ("iOS 18.6", "iOS"),
        ("Android 10", "Android"),
        ("Chromium OS 14", "ChromeOS"),
        ("Linux", "Linux"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_system_is_named_as_people_do(told: str, family: str) -> None:
    """The version is the last word, and goes."""
    assert devices.system(told) == family
