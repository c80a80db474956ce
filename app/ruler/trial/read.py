"""Read tests of rules; all problems of a file come at once."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml

from app.configuration.problems import nearest
from app.configuration.units import parse_duration
from app.events.decoder import DECODERS
from app.ruler.nodes import Nodes, Spot
from app.ruler.problems import Problems, shown
from app.ruler.trial.inputs import CONTEXT, VITALS, line_inputs, session_inputs
from app.ruler.trial.model import (
    ExpectedAlerts,
    ExpectedSamples,
    Input,
    Trial,
    TrialFile,
)

START = (
    1_795_132_800_000  # 2026-11-20T00:00:00Z, ms: when a test begins, unless it says
)
_FILE = ("rule_files", "evaluation_interval", "tests")
_TEST = (
    "name", "start_timestamp", "input_sessions", "input_logs", "session_ql_expr_test",
    "alert_rule_test",
)  # fmt: skip
_SESSION = (
    "id", "at", "duration", "count", "every", "user", "pages", "actions", "errors",
    "crashed", *VITALS, *CONTEXT,
)  # fmt: skip
_LOGS = ("format", "labels", "lines")
MAX_SESSIONS = 10_000  # of one declaration


def read_trials(name: str, path: Path) -> TrialFile:
    """Read the file *path*, which is shown as *name*.

    Raises:
        RuleFileError: lists every problem.
    """
    problems = Problems()
    reader = _Reader(name, problems)
    root = reader.nodes.root(path)
    found = reader.file(root) if root else TrialFile(name, (), 60_000, ())
    problems.stop_if_any()
    return found


class _Reader:
    """Reads one file."""

    def __init__(self, name: str, problems: Problems) -> None:
        self._name = name
        self.nodes = Nodes(name, problems)

    def file(self, root: Spot) -> TrialFile:
        parts = self.nodes.mapping(root, _FILE)
        files = self._list(parts, "rule_files")
        trials = [
            self._trial(spot, number)
            for number, spot in enumerate(self._list(parts, "tests"), 1)
        ]
        interval = self._duration(parts.get("evaluation_interval"), 60_000)
        return TrialFile(
            self._name, tuple(each.text for each in files), interval, tuple(trials)
        )

    def _list(self, parts: dict[str, Spot], key: str) -> list[Spot]:
        return self.nodes.items(parts[key]) if key in parts else []

    def _duration(self, spot: Spot | None, default: int = 0) -> int:
        if spot is None or spot.text == "0":
            return default if spot is None else 0
        try:
            return parse_duration(spot.text)
        except ValueError as error:
            self.nodes.refuse(spot, f"{shown(spot.text)} {error}")
            return default

    def _trial(self, spot: Spot, number: int) -> Trial:
        spot = Spot(spot.node, spot.file, f"test {number}")
        parts = self.nodes.mapping(spot, _TEST)
        name = parts["name"].text if "name" in parts else f"test {number}"
        start = self._start(parts.get("start_timestamp"))
        inputs = [
            each
            for declared in self._list(parts, "input_sessions")
            for each in self._session(declared, start)
        ]
        for declared in self._list(parts, "input_logs"):
            inputs += self._logs(declared, start)
        samples = [self._samples(e) for e in self._list(parts, "session_ql_expr_test")]
        alerts = [self._alerts(each) for each in self._list(parts, "alert_rule_test")]
        inputs.sort(key=lambda each: each.known)
        return Trial(
            name, spot.place, start, tuple(inputs), tuple(samples), tuple(alerts)
        )

    def _start(self, spot: Spot | None) -> int:
        if spot is None:
            return START
        try:
            return int(datetime.fromisoformat(spot.text).timestamp() * 1000)
        except ValueError:
            self.nodes.refuse(spot, "is no time; write 2026-11-20T00:00:00Z")
            return START

    # -- inputs --------------------------------------------------------------------

    def _session(self, spot: Spot, start: int) -> Iterator[Input]:
        parts = self._known(spot, _SESSION)
        said = {key: self._texts(each) for key, each in parts.items()}
        session_id = (said.get("id") or ["session"])[0]
        count = self._whole(parts.get("count"), 1)
        every = self._duration(parts.get("every"))
        begin = start + self._duration(parts.get("at"))
        duration = self._duration(parts.get("duration"))
        errors = said.get("errors")
        if errors and errors[0].isdigit():
            said["errors"] = [f"error {n}" for n in range(min(int(errors[0]), 1_000))]
        if said.get("crashed") == ["false"]:
            del said["crashed"]
        for number in range(count):
            own = session_id if count == 1 else f"{session_id}-{number}"
            yield from session_inputs(own, begin + number * every, duration, said)

    def _known(self, spot: Spot, known: tuple[str, ...]) -> dict[str, Spot]:
        """Return what is known, and attributes."""
        parts = self.nodes.mapping(spot, ())
        for key, value in parts.items():
            if key not in known and "." not in key:
                self.nodes.refuse(value, f"no key {shown(key)}; {nearest(key, known)}")
        return parts

    def _texts(self, spot: Spot) -> list[str]:
        if isinstance(spot.node, yaml.SequenceNode):
            return [each.text for each in self.nodes.items(spot)]
        return [spot.text]

    def _whole(self, spot: Spot | None, default: int) -> int:
        if spot is None:
            return default
        if not spot.text.isdigit() or not 0 < int(spot.text) <= MAX_SESSIONS:
            what = f"{shown(spot.text)} is no number from 1 to {MAX_SESSIONS}"
            self.nodes.refuse(spot, f"{what}; write one")
            return default
        return int(spot.text)

    def _logs(self, spot: Spot, start: int) -> Iterator[Input]:
        parts = self.nodes.mapping(spot, _LOGS)
        form = parts["format"].text if "format" in parts else "faro"
        if form not in DECODERS:
            self.nodes.refuse(
                spot, f"no format {shown(form)}; {nearest(form, DECODERS)}"
            )
            return
        labels = self.nodes.texts(parts["labels"]) if "labels" in parts else {}
        lines: dict[int, list[str]] = {}
        for each in self._list(parts, "lines"):
            for after, line in self.nodes.texts(each).items():
                at = start + parse_duration(after) if after != "0" else start
                lines.setdefault(at, []).append(line.text)
        named = {name: value.text for name, value in labels.items()}
        yield from line_inputs(form, named, lines)

    # -- what is expected ----------------------------------------------------------

    def _samples(self, spot: Spot) -> ExpectedSamples:
        parts = self.nodes.mapping(spot, ("expr", "eval_time", "exp_samples"))
        expected: dict[str, float] = {}
        for each in self._list(parts, "exp_samples"):
            sample = self.nodes.mapping(each, ("labels", "value"))
            series = sample["labels"].text if "labels" in sample else ""
            try:
                expected[series] = float(sample["value"].text)
            except (KeyError, ValueError):
                self.nodes.refuse(each, "has no value; write `value: 1`")
        if "expr" not in parts:
            self.nodes.refuse(spot, "has no expr; write `expr: ...`")
        expr = parts["expr"].text if "expr" in parts else ""
        at = self._duration(parts.get("eval_time"))
        return ExpectedSamples(spot.place, expr, at, expected)

    def _alerts(self, spot: Spot) -> ExpectedAlerts:
        parts = self.nodes.mapping(spot, ("alertname", "eval_time", "exp_alerts"))
        alerts = []
        for each in self._list(parts, "exp_alerts"):
            said = self.nodes.mapping(each, ("exp_labels", "exp_annotations"))
            pair = [
                {n: v.text for n, v in self.nodes.texts(said[key]).items()}
                if key in said
                else {}
                for key in ("exp_labels", "exp_annotations")
            ]
            alerts.append((pair[0], pair[1]))
        name = parts["alertname"].text if "alertname" in parts else ""
        if not name:
            self.nodes.refuse(spot, "has no alertname; write `alertname: ...`")
        at = self._duration(parts.get("eval_time"))
        return ExpectedAlerts(spot.place, name, at, tuple(alerts))
