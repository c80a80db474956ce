"""Sessions of language model applications, planned by dice; in each of three dialects."""

from decimal import Decimal
from typing import Any

from tests.build import HOUR, SECOND
from tests.corpus.made import NAMES, USERS, Dice, Made, entry, iso, noise

TAGS = ("production", "ä b", "a;b")
MODELS = ("gpt-4o", "claude-sonnet-4-5", "lokal ✓")
KINDS = ("SPAN", "GENERATION", "TOOL", "RETRIEVER", "EVENT", "AGENT")
SESSION_KEYS = ("langfuse.session.id", "session.id", "gen_ai.conversation.id")
USER_KEYS = ("langfuse.user.id", "user.id", "enduser.id")
NS = 1_000_000  # in a ms


def langfuse(seed: int) -> Made:
    """Plan sessions of two services, and traces that are of none."""
    dice, made = Dice(seed), Made()
    for number in range(7):
        own = f"chat {seed} {number} ✓"
        if number and dice.often(0.2):
            own = next(iter(made.plan))[1]
        service = dice.choice(("chat", "worker"))
        if (service, own) not in made.plan:
            _Talk(dice, service, own).walk(made)
    for blank in ("", "  ", None):
        _Talk(dice, "chat", blank).walk(made)
    made.plan = {key: plan for key, plan in made.plan.items() if (key[1] or "").strip()}
    made.entries += noise(dice, {"service_name": "chat"})
    return made


class _Talk:
    """One session: some traces, each of some steps."""

    def __init__(self, dice: Dice, service: str, own: str | None) -> None:
        self.dice, self.own = dice, own
        self.labels = {"service_name": service}
        self.at, self.number = dice.start(), 0
        self.say = {"A": self.envelopes, "B": self.rows, "C": self.spans}[
            dice.choice("ABC")
        ]
        self.plan: dict[str, Any] = {
            "times": [], "latency": 0, "cost": Decimal(0), "in": 0, "out": 0,
            "traces": 0, "observations": 0, "generations": 0, "errors": 0, "warnings": 0,
            "users": [], "names": [], "tags": set(), "models": set(), "scores": [],
        }  # fmt: skip

    def walk(self, made: Made) -> None:
        """Ask some questions, one after the other or at once."""
        for _ in range(self.dice.randrange(1, 5)):
            trace = self.trace()
            self.say(made, trace)
            self.count(trace)
            self.at += self.dice.choice((1, 20 * SECOND, HOUR, 60 * HOUR))
        made.plan[self.labels["service_name"], self.own] = self.plan  # type: ignore[index]

    def trace(self) -> dict[str, Any]:
        """Plan one trace."""
        dice = self.dice
        user = dice.choice((*USERS, ""))
        steps = [self.step(n) for n in range(dice.randrange(1, 6))]
        return {
            "id": f"{dice.getrandbits(128):032x}", "at": self.at, "user": user,
            "name": dice.choice(NAMES), "tags": dice.sample(TAGS, dice.randrange(3)),
            "steps": steps,
        }  # fmt: skip

    def step(self, n: int) -> dict[str, Any]:
        """Plan one observation; a generation spends, and others may cost as well."""
        dice = self.dice
        kind = dice.choice(KINDS) if n else "SPAN"
        at = self.at + (dice.randrange(5_000) if n else 0)
        found: dict[str, Any] = {
            "id": f"{dice.getrandbits(64):016x}", "at": at, "kind": kind,
            "end": at + dice.randrange(9_000) if dice.often(0.9) else None,
            "level": dice.choice(("DEFAULT", "DEFAULT", "ERROR", "WARNING", "DEBUG")),
            "cost": None, "in": 0, "out": 0, "model": "", "parent": n > 0,
        }  # fmt: skip
        if kind == "GENERATION":
            found |= {"in": dice.randrange(9_000), "out": dice.randrange(2_000)}
            found["model"] = dice.choice(MODELS)
        if kind in {"GENERATION", "TOOL"} and dice.often(0.8):
            found["cost"] = Decimal(dice.randrange(10**9)) / 10**10
        return found

    def count(self, trace: dict[str, Any]) -> None:
        """Count what was planned, by the definitions of the truth files."""
        plan, steps = self.plan, trace["steps"]
        times = [trace["at"]] + [s["at"] for s in steps]
        ends = [trace["at"]] + [s["end"] or s["at"] for s in steps]
        plan["times"] += [min(times), max(ends)]
        plan["latency"] += max(ends) - min(times)
        plan["cost"] += sum(s["cost"] or 0 for s in steps)
        plan["traces"] += 1
        plan["observations"] += len(steps)
        for step in steps:
            is_generation = step["kind"] == "GENERATION"
            plan["generations"] += is_generation
            plan["in"] += step["in"]
            plan["out"] += step["out"]
            plan["errors"] += step["level"] == "ERROR"
            plan["warnings"] += step["level"] == "WARNING"
            plan["models"] |= {step["model"]} - {""}
        plan["users"] += [trace["user"]] if trace["user"] else []
        plan["names"].append(trace["name"])
        plan["tags"] |= set(trace["tags"])

    def line(self, made: Made, at: int, fields: Any, **metadata: str) -> None:
        """Write a line, soon after it happened."""
        self.number += 1
        received = at + self.dice.randrange(3_000)
        made.entries.append(
            entry(received, fields, self.labels, self.number, **metadata)
        )

    # -- envelopes of the ingestion API ----------------------------------------------

    def envelopes(self, made: Made, trace: dict[str, Any]) -> None:
        """Tell of a trace in versions, and of its steps."""
        dice, at = self.dice, trace["at"]
        body = {
            "id": trace["id"], "timestamp": iso(at), "name": "first", "sessionId": "old",
            "userId": "nobody", "input": "42", "metadata": {"n": 1},
        }  # fmt: skip
        final = {"sessionId": self.own, "name": trace["name"], "userId": trace["user"]}
        final |= {"tags": trace["tags"], "id": trace["id"]}
        is_told_twice = dice.often() and self.own and self.own.strip() and trace["user"]
        if is_told_twice:
            self.envelope(made, "trace-create", at, body)
            self.envelope(made, "trace-create", at + 5, final | {"output": None})
        else:
            self.envelope(made, "trace-create", at, body | final)
        for step in trace["steps"]:
            self.observe(made, trace, step)
        if dice.often(0.3):
            value = dice.choice((1, 0.5, "great", "0.25"))
            score = {
                "id": trace["id"][:8],
                "traceId": trace["id"],
                "name": "fit",
                "value": value,
            }
            self.envelope(made, "score-create", at + 9_000, score)
            self.plan["scores"].append(value)

    def envelope(self, made: Made, kind: str, at: int, body: dict[str, Any]) -> None:
        """Write an envelope."""
        own = f"{self.dice.getrandbits(64):x}"
        line = {"id": own, "timestamp": iso(at), "type": kind, "body": body}
        self.line(made, at, line)

    def observe(self, made: Made, trace: dict[str, Any], step: dict[str, Any]) -> None:
        """Tell of a step: at once, or when it began and when it ended."""
        dice, kind = self.dice, step["kind"]
        begun = {
            "id": step["id"], "traceId": trace["id"], "startTime": iso(step["at"]),
            "name": "step", "level": "DEBUG",
        }  # fmt: skip
        ended: dict[str, Any] = {"id": step["id"], "traceId": trace["id"]}
        ended |= {"level": step["level"], "model": step["model"] or None}
        ended |= {"endTime": iso(step["end"])} if step["end"] else {}
        ended |= self.spent(step)
        if step["parent"]:
            begun["parentObservationId"] = trace["steps"][0]["id"]
        named = (
            kind.lower() if kind in {"SPAN", "GENERATION", "EVENT"} else "observation"
        )
        typed = {"type": kind} if named == "observation" else {}
        if dice.often():
            self.envelope(made, f"{named}-create", step["at"], begun | ended | typed)
            return
        nothing = dict.fromkeys(
            ("name", "model", "usageDetails", "costDetails", "endTime")
        )
        if dice.often(0.3):  # told later, and says nothing of what is known
            said = {"id": step["id"], "traceId": trace["id"]} | nothing
            self.envelope(made, f"{named}-update", step["at"] + HOUR, said)
        self.envelope(made, f"{named}-create", step["at"], begun | typed)
        later = step["end"] or step["at"] + 1
        self.envelope(made, f"{named}-update", max(later, step["at"]), ended | typed)

    def spent(self, step: dict[str, Any]) -> dict[str, Any]:
        """Say what a step used and cost, in one of the ways."""
        dice, found = self.dice, dict[str, Any]()
        given, made = step["in"], step["out"]
        if step["kind"] == "GENERATION":
            found |= dice.choice(
                (
                    {"usageDetails": {"input": given, "output": made, "total": given + made}},
                    {"usage": {"promptTokens": given, "completionTokens": made}},
                    {"usage": {"input": dice.spell(given), "output": made, "unit": "TOKENS"}},
                    {"usageDetails": {
                        "input": given // 2, "input_cached_tokens": given - given // 2,
                        "output": made}},
                )
            )  # fmt: skip
        if step["cost"] is not None:
            half = step["cost"] / 2
            found["costDetails"] = dice.choice(
                (
                    {"total": str(step["cost"])},
                    {"total": float(step["cost"]), "input": 0.1},
                    {"input": str(half), "output": str(step["cost"] - half)},
                )
            )
        return found

    # -- flat rows -------------------------------------------------------------------

    def rows(self, made: Made, trace: dict[str, Any]) -> None:
        """Tell of everything once, under the names of columns."""
        dice, steps = self.dice, trace["steps"]
        ends = [trace["at"]] + [s["end"] or s["at"] for s in steps]
        shared = {
            "trace_id": trace["id"],
            "session_id": self.own,
            "user_id": trace["user"],
        }
        row = {
            "event": "trace", "id": trace["id"], "timestamp": iso(trace["at"]),
            "name": trace["name"], "tags": trace["tags"], "calculated_total_cost": 99,
            "latency_ms": dice.spell(max(ends) - trace["at"]), "input_tokens": 7,
        }  # fmt: skip
        if not any(step["cost"] is not None for step in steps):
            row["calculated_total_cost"] = 0
        if not any(step["in"] or step["out"] for step in steps):
            row["input_tokens"] = 0
        self.line(made, max(ends), row | shared)
        for step in steps:
            fields = {
                "event": "observation", "id": step["id"], "type": step["kind"],
                "start_time": iso(step["at"]), "level": step["level"], "name": "step",
                "end_time": iso(step["end"]) if step["end"] else None,
                "model": step["model"] or None, "status_message": None,
                "parent_observation_id": steps[0]["id"] if step["parent"] else None,
            }  # fmt: skip
            if step["kind"] == "GENERATION":
                fields["usage"] = {"input": step["in"], "output": step["out"]}
            if step["cost"] is not None:
                fields["calculated_total_cost"] = str(step["cost"])
            self.line(made, step["end"] or step["at"], fields | shared)

    # -- spans -----------------------------------------------------------------------

    def spans(self, made: Made, trace: dict[str, Any]) -> None:
        """Tell of the steps alone; one of them at least names the session."""
        dice = self.dice
        for n, step in enumerate(trace["steps"]):
            said: dict[str, Any] = {
                "langfuse.observation.type": step["kind"].lower(),
                "langfuse.trace.name": trace["name"],
            }
            if n == 0 or dice.often():
                said[dice.choice(SESSION_KEYS)] = self.own
            if trace["user"]:
                said[dice.choice(USER_KEYS)] = trace["user"]
            if trace["tags"]:
                said["langfuse.trace.tags"] = trace["tags"]
            if n == 0 and step["kind"] == "SPAN" and dice.often(0.4):
                # what an agent is said to have used, its children have used
                said |= {
                    "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.cost": 9,
                    "gen_ai.usage.input_tokens": 999, "gen_ai.usage.output_tokens": 999,
                }  # fmt: skip
            if step["level"] != "ERROR":
                said["langfuse.observation.level"] = step["level"]
            if step["kind"] == "GENERATION":
                said |= {
                    "gen_ai.operation.name": "chat", "gen_ai.response.model": step["model"],
                    "gen_ai.usage.input_tokens": step["in"],
                    "gen_ai.usage.output_tokens": dice.spell(step["out"]),
                }  # fmt: skip
            if step["cost"] is not None:
                said["gen_ai.usage.cost"] = dice.choice(
                    (str(step["cost"]), float(step["cost"]))
                )
            span = {
                "trace_id": trace["id"], "span_id": step["id"],
                "parent_span_id": trace["steps"][0]["id"] if step["parent"] else "",
                "name": "step", "status": {"code": 2 if step["level"] == "ERROR" else 0},
                "start_time_unix_nano": str(step["at"] * NS + 17),
                "end_time_unix_nano": (step["end"] or step["at"]) * NS,
                "attributes": said if dice.often() else pairs(said),
            }  # fmt: skip
            self.line(made, step["end"] or step["at"], span)


def pairs(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Write attributes as OTLP does."""
    return [{"key": name, "value": _value(each)} for name, each in said.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [{"stringValue": each} for each in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return (
        {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
    )
