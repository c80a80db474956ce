"""Fill in labels and annotations of alerts: the part of Go's templates they need.

``{{ $labels.name }}``, ``{{ $value }}``, ``{{ $externalURL }}`` (also ``.Labels.name``,
``.Value``, ``.ExternalURL``), texts and numbers, with pipes to functions:
``{{ $value | humanizeDuration }}``, ``{{ printf "%.1f" $value }}``. There are no
conditions, loops or queries, so that no template can take long or ask for anything.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite, isnan

from app.configuration.problems import nearest
from app.model import Labels

MAX_TEXT = 4_000  # characters of what a template comes to
Atom = str | float

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<label>(?:\$labels|\.Labels)\.(?P<name>[A-Za-z_]\w*))"""
    r"""|(?P<value>\$value|\.Value)|(?P<url>\$externalURL|\.ExternalURL)"""
    r"""|(?P<pipe>\|)|(?P<function>[A-Za-z]\w*)|(?P<bad>\S+))"""
)
_VERB = re.compile(r"%[-+# 0]*\d*(?:\.\d+)?[vsdfgeq%]")


class TemplateError(ValueError):
    """A template that cannot be read; says what is wrong and the remedy."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a template may speak of."""

    labels: Labels
    value: float
    url: str = ""


Step = tuple[str, list[tuple[str, str]]]  # function or "", arguments as (kind, text)
Part = str | list[Step]


def parse(text: str) -> list[Part]:
    """Take a template apart: texts, and pipelines.

    Raises:
        TemplateError: it cannot be read.
    """
    parts: list[Part] = []
    at, trims = 0, False
    for action in _ACTION.finditer(text):
        before = text[at : action.start()]
        before = before.lstrip() if trims else before
        parts.append(before.rstrip() if action[1] else before)
        parts.append(_pipeline(action[2].strip()))
        at, trims = action.end(), bool(action[3])
    rest = text[at:]
    if "{{" in rest or "{{" in "".join(part for part in parts if isinstance(part, str)):
        raise TemplateError("an action is not closed; end it with }}")
    parts.append(rest.lstrip() if trims else rest)
    return parts


def _pipeline(text: str) -> list[Step]:
    if text.startswith("/*"):
        return []
    steps: list[Step] = [("", [])]
    for token in _TOKEN.finditer(text):
        kind, said = token.lastgroup or "", token[0].strip()
        if token["label"]:
            kind, said = "label", token["name"]
        if kind == "pipe":
            steps.append(("", []))
        elif kind == "function":
            steps[-1] = _named(steps[-1], said)
        elif kind == "bad":
            raise TemplateError(
                f"cannot read {said!r}; write $labels.name, $value or a function"
            )
        else:
            steps[-1][1].append((kind, said))
    for number, (function, arguments) in enumerate(steps):
        given = len(arguments) + (number > 0)
        least = FUNCTIONS[function][1] if function else 1
        if given < least or (not function and (number or given > 1)):
            what = f"{function!r} needs {least}" if function else "write one value"
            raise TemplateError(f"{what}; in {{{{ {text} }}}}")
    return steps


def _named(step: Step, name: str) -> Step:
    if name not in FUNCTIONS:
        raise TemplateError(f"no function {name!r}; {nearest(name, FUNCTIONS)}")
    if step[0] or step[1]:
        raise TemplateError(f"{name!r} must come first, or after a |")
    return name, []


def expand(text: str, known: Known) -> str:
    """Fill in a template that ``parse`` takes; what fails says so, as Prometheus does."""
    try:
        parts = parse(text)
        filled = [p if isinstance(p, str) else _evaluate(p, known) for p in parts]
        return "".join(filled)[:MAX_TEXT]
    except (TemplateError, ValueError, TypeError, OverflowError) as error:
        return f"<error expanding template: {error}>"


def _evaluate(steps: list[Step], known: Known) -> str:
    piped: list[Atom] = []
    for function, arguments in steps:
        values = [_atom(kind, said, known) for kind, said in arguments] + piped
        piped = [FUNCTIONS[function][0](*values)] if function else values
    return _text(piped[0]) if piped else ""


def _atom(kind: str, said: str, known: Known) -> Atom:
    if kind == "label":
        return known.labels.get(said, "")
    if kind == "value":
        return known.value
    if kind == "url":
        return known.url
    if kind == "number":
        return float(said)
    inner = said[1:-1]
    return re.sub(r"\\(.)", r"\1", inner) if said[0] == '"' else inner


def _text(value: Atom) -> str:
    if isinstance(value, str):
        return value
    if not isfinite(value):
        return "NaN" if isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e21 else repr(value)  # noqa: PLR2004


_SMALL = "munpfazy"
_BINARY = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]

# -- functions, as Prometheus' template package has them ---------------------------


def _number(value: Atom) -> float:
    return float(value)


def _scaled(value: Atom, step: float, units: list[str]) -> str:
    number, exponent = _number(value), 0
    if not isfinite(number):
        return _short(number)
    while abs(number) >= step and exponent < len(units):
        number, exponent = number / step, exponent + 1
    return f"{_short(number)}{units[exponent - 1] if exponent else ''}"


def _short(number: float) -> str:
    return f"{number:.4g}" if isfinite(number) else _text(number)


def _humanize(value: Atom) -> str:
    number, exponent = _number(value), 0
    if number == 0 or not isfinite(number) or abs(number) >= 1:
        return _scaled(number, 1000, list("kMGTPEZY"))
    while abs(number) < 1 and exponent < len(_SMALL):
        number, exponent = number * 1000, exponent + 1
    return f"{_short(number)}{_SMALL[exponent - 1]}"


def _humanize_duration(value: Atom) -> str:
    number = _number(value)
    if not isfinite(number):
        return _short(number)
    if abs(number) < 1:
        return f"{_humanize(number)}s" if number else "0s"
    sign, seconds = ("-" if number < 0 else ""), int(abs(number))
    days, hours = seconds // 86_400, seconds // 3_600 % 24
    minutes, left = seconds // 60 % 60, seconds % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {left}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {left}s"
    if minutes:
        return f"{sign}{minutes}m {left}s"
    return f"{sign}{abs(number):.4g}s"


def _humanize_timestamp(value: Atom) -> str:
    at = datetime.fromtimestamp(_number(value), UTC)
    part = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%d %H:%M:%S}{part} +0000 UTC"


def _printf(form: Atom, *values: Atom) -> str:
    wanted = iter(values)

    def write(found: re.Match[str]) -> str:
        verb = found[0]
        if verb == "%%":
            return "%"
        value = next(wanted, "")
        if verb[-1] in "vs":
            return f"{verb[:-1]}s" % _text(value)
        if verb[-1] == "q":
            return f'"{_text(value)}"'
        return verb % (int(_number(value)) if verb[-1] == "d" else _number(value))

    return _VERB.sub(write, str(form))


FUNCTIONS: dict[str, tuple[Callable[..., Atom], int]] = {  # name → (function, values)
    "humanize": (_humanize, 1),
    "humanize1024": (lambda value: _scaled(value, 1024, _BINARY), 1),
    "humanizeDuration": (_humanize_duration, 1),
    "humanizePercentage": (lambda value: f"{_number(value) * 100:.4g}%", 1),
    "humanizeTimestamp": (_humanize_timestamp, 1),
    "printf": (_printf, 1),
    "title": (lambda value: _text(value).title(), 1),
    "toLower": (lambda value: _text(value).lower(), 1),
    "toUpper": (lambda value: _text(value).upper(), 1),
}
