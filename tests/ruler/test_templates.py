"""Templates of labels and annotations: a safe part of Go's, as Prometheus fills it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ruler.templates import Known, TemplateError, expand, parse

KNOWN = Known({"app": "shop", "n": "3"}, 0.25, "https://skald.example")
FILLED = [  # as Prometheus 3 fills them
    ("plain", "plain"),
    ("", ""),
    ("{{ $labels.app }}", "shop"),
    ("{{$labels.app}}!", "shop!"),
    ("{{ .Labels.app }}", "shop"),
    ("{{ $labels.nothing }}", ""),
    ("{{ $value }}", "0.25"),
    ("{{ .Value }}", "0.25"),
    ("{{ $externalURL }}/x", "https://skald.example/x"),
    ("a {{- $labels.app -}} b", "ashopb"),
    ("{{/* nothing */}}x", "x"),
    ("{{ $value | humanizePercentage }}", "25%"),
    ("{{ humanizePercentage $value }}", "25%"),
    ('{{ printf "%.1f" $value }}', "0.2"),
    ('{{ $value | printf "%.3f s" }}', "0.250 s"),
    ('{{ printf "%s:%d%%" $labels.app 7 }}', "shop:7%"),
    ("{{ 1234567 | humanize }}", "1.235M"),
    ("{{ 0 | humanize }}", "0"),
    ("{{ 0.00123 | humanize }}", "1.23m"),
    ("{{ 2048 | humanize1024 }}", "2ki"),
    ("{{ 1000 | humanize1024 }}", "1000"),
    ("{{ 0 | humanizeDuration }}", "0s"),
    ("{{ 1 | humanizeDuration }}", "1s"),
    ("{{ 60 | humanizeDuration }}", "1m 0s"),
    ("{{ 3600 | humanizeDuration }}", "1h 0m 0s"),
    ("{{ 86400 | humanizeDuration }}", "1d 0h 0m 0s"),
    ("{{ -86401 | humanizeDuration }}", "-1d 0h 0m 1s"),
    ("{{ 899.99 | humanizeDuration }}", "14m 59s"),
    ("{{ 0.1 | humanizeDuration }}", "100ms"),
    ("{{ 0.0001 | humanizeDuration }}", "100us"),
    ("{{ 1435065584.128 | humanizeTimestamp }}", "2015-06-23 13:19:44.128 +0000 UTC"),
    ("{{ $labels.app | toUpper }}", "SHOP"),
    ("{{ $labels.app | title }}", "Shop"),
    ("{{ `raw {{` }}", "raw {{"),
]


@pytest.mark.parametrize(("text", "expected"), FILLED)
def test_filled(text: str, expected: str) -> None:
    """A template comes to what Prometheus makes of it."""
    assert expand(text, KNOWN) == expected


REFUSED = [
    ("{{ $labels.app", "not closed"),
    ("{{ $value | humanise }}", "did you mean 'humanize'?"),
    ("{{ query `up` }}", "no function 'query'"),
    ("{{ range .Labels }}", "no function 'range'"),
    ("{{ $labels[`x`] }}", "cannot read"),
    ("{{ $value $value }}", "one value"),
    ("{{ }}", "one value"),
    ("{{ humanize }}", "needs 1"),
    ("{{ $value humanize }}", "must come first"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_refused(text: str, why: str) -> None:
    """What cannot be filled is refused when it is read, with a remedy."""
    with pytest.raises(TemplateError, match=None) as caught:
        parse(text)

    assert why in str(caught.value)


def test_a_failure_is_shown_in_place() -> None:
    """A function that fails on a value says so in the text, as in Prometheus."""
    text = expand("{{ $labels.app | humanize }}", KNOWN)

    assert text.startswith("<error expanding template:")


@given(st.text(alphabet='{}$.| "`-%vaApL019humaniz', max_size=60), st.floats())
def test_any_text_is_filled_or_refused(text: str, value: float) -> None:
    """No template raises anything else, whatever it is."""
    try:
        parse(text)
    except TemplateError:
        return
    assert isinstance(expand(text, Known({}, value)), str)
