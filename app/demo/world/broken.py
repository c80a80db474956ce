"""Lines that should not be: cut, binary, endless, without a session, out of time."""

from collections.abc import Callable
from dataclasses import dataclass

from app.demo.world.apps import TRAFFIC, App
from app.demo.world.dialects import Dialect
from app.demo.world.dice import Dice
from app.demo.world.tab import Delivery
from app.demo.world.truth import BrokenTruth, Counts
from app.model import Entry, Labels

_LONG = 256 * 1024
_TEN_YEARS_MS = 10 * 366 * 86_400_000
_MARK = "line=good"


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken line and what it counts as."""

    delivery: Delivery
    truth: BrokenTruth


@dataclass(frozen=True, slots=True)
class Sample:
    """A good line to be broken: how to write it, and its session."""

    dialect: Dialect
    dice: Dice
    app: App
    environment: str
    session_id: str
    ms: int

    def line(self, *, ms: int | None = None, session: str | None = None) -> str:
        """Write the line, in logfmt, with another time or session part."""
        stamp = self.dialect.stamp(self.ms if ms is None else ms)
        body = self.dialect.event("event_name=noise event_domain=demo", None, "")
        told = f" session_id={self.session_id}" if session is None else session
        return (
            f"{stamp}{body} {_MARK} sdk_name=faro-web sdk_version=2.10.0"
            f" app_name={self.app.name} app_version=0.0.1"
            f" app_environment={self.environment}{told}"
            f" page_url=https://{self.app.host}/noise browser_mobile=false"
        )


def _huge(sample: Sample) -> str:
    good = sample.line()
    return good.replace(_MARK, "event_data_x=" + "x" * (_LONG - len(good) - 4))


def _binary(sample: Sample) -> str:
    return "".join(chr(sample.dice.below(256)) for _ in range(300)).replace("=", "")


def _zero_time(sample: Sample) -> str:
    stamp = sample.dialect.stamp(0)
    none = stamp.replace("1970", "0001")  # how Go says that there is no time
    return sample.line(ms=0).replace(stamp, none)


def _twice(sample: Sample) -> str:
    return sample.line(
        session=f" session_id=overwritten session_id={sample.session_id}"
    )


Defect = Callable[[Sample], str]
DEFECTS: dict[str, tuple[Counts, Defect]] = {
    "cut": (Counts.UNREADABLE, lambda s: s.line()[: 12 + s.dice.below(8)]),
    "binary": (Counts.UNREADABLE, _binary),
    "prose": (Counts.UNREADABLE, lambda _: "connection reset by peer"),
    "empty": (Counts.UNREADABLE, lambda _: ""),
    "array": (Counts.UNREADABLE, lambda _: '[{"kind":"event"}]'),
    "megabyte_key": (
        Counts.SESSION,
        lambda s: s.line().replace(_MARK, "context_" + "k" * 1_048_576 + "=1"),
    ),
    "no_session": (Counts.NO_SESSION, lambda s: s.line(session="")),
    "blank_session": (Counts.NO_SESSION, lambda s: s.line(session=' session_id="  "')),
    "null_session": (
        Counts.NO_SESSION,
        lambda s: s.line(session=' session_id="null"'),
    ),
    "unknown_kind": (
        Counts.UNKNOWN,
        lambda s: s.line().replace(" kind=event", " kind=hologram"),
    ),
    "huge": (Counts.SESSION, _huge),
    "no_time": (Counts.SESSION, _zero_time),
    "future": (Counts.SESSION, lambda s: s.line(ms=s.ms + _TEN_YEARS_MS)),
    "past": (Counts.SESSION, lambda s: s.line(ms=0)),
    "repeated_key": (Counts.SESSION, _twice),
}
_NAMES = tuple(DEFECTS)
_WITH_ID = (Counts.SESSION, Counts.UNKNOWN)


def break_line(
    speak: Callable[[str, str], tuple[Dialect, dict[str, Labels]]],
    dice: Dice,
    at_ms: int,
) -> Broken:
    """Make one broken line that is received at *at_ms*, epoch ms.

    Args:
        speak: tells dialect and labels of an application in an environment.
        dice: the luck of it.
        at_ms: when Loki receives it.
    """
    app, defect = TRAFFIC.draw(dice), dice.one(_NAMES)
    dialect, labels = speak(app.name, "production")
    counts, write = DEFECTS[defect]
    sample = Sample(dialect, dice, app, "production", dice.id10(), at_ms - 200)
    line = write(sample)
    if line.startswith("timestamp=") and counts is not Counts.UNREADABLE:
        line = dialect.finish(line)
    ts = at_ms * 10**6 + dice.below(10**6)
    entry = Entry(ts, line, labels["event"], dialect.metadata("event", "0.0.1"))
    session_id = sample.session_id if counts in _WITH_ID else ""
    return Broken((ts, entry), BrokenTruth(ts, defect, counts, session_id, app.name))
