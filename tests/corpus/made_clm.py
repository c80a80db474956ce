"""Page loads of the CLM tracker, planned by dice."""

from typing import Any

from tests.build import HOUR
from tests.corpus.made import NAMES, USERS, Dice, Made, entry, iso, noise


def clm(seed: int) -> Made:
    """Plan page loads of the component tracker."""
    dice, made = Dice(seed), Made()
    for number in range(12):
        job = dice.choice(("clm-frontend", "clm-admin"))
        own = f"session_{dice.start()}_{number if dice.often(0.8) else 'same'}"
        if number and dice.often(0.2):
            own = next(iter(made.plan))[1]  # the same id, in another application
        if (job, own) not in made.plan:
            _Load(dice, job, own).walk(made)
    made.entries += noise(dice, {"job": "clm-frontend"})
    return made


class _Load:
    """One page load."""

    def __init__(self, dice: Dice, job: str, own: str) -> None:
        self.dice, self.job, self.own = dice, job, own
        self.user = dice.choice(USERS)
        self.at = self.begin = dice.start()
        self.in_labels = dice.often(0.3)
        self.plan: dict[str, Any] = {
            "views": [], "titles": [], "dwells": [], "actions": 0, "errors": 0,
            "users": [], "times": [],
        }  # fmt: skip

    def walk(self, made: Made) -> None:
        """Visit some components, one after the other."""
        dice, plan = self.dice, self.plan
        named: dict[str, str] = {}
        if dice.often(0.15):
            self.say(made, "component_error", {"error_message": "too early"})
            plan["errors"] += 1
            self.at += dice.randrange(1, 5_000)
        for left in reversed(range(dice.randrange(0 if plan["errors"] else 1, 7))):
            before = plan["views"][-1:]
            name = dice.choice([each for each in NAMES if each not in before])
            title = named.setdefault(name, f"The {name[:5]}")
            self.say(made, "component_visit", self.place(name, title))
            plan["views"].append(name)
            spent = dice.choice((1, 999, 5_000, 61_000, 3 * HOUR))
            if not plan["dwells"] or plan["dwells"][-1] != 0:
                spent = dice.choice((0, spent))  # two at once would have no order
            began, self.at = self.at, self.at + spent
            self.do_things(made, name, began)
            says = left > 0 and dice.often(0.85)  # the last has none, some are lost
            plan["dwells"].append(spent if says else None)
            if says:
                self.leave(made, name, title, spent)
            elif left:
                # without its exit, nothing tells which of two came first
                self.at += 1
        plan["titles"] = [named[name] for name in plan["views"]]
        made.plan[self.job, self.own] = plan

    def place(self, name: str, title: str) -> dict[str, Any]:
        """Say where something happens."""
        key = "component" if self.dice.often(0.1) else "component_hash"
        return {key: name, "component_name": title, "url": "https://c.example/?t=1"}

    def leave(self, made: Made, name: str, title: str, spent: int) -> None:
        """Say how long it was looked at, in one of the ways."""
        said: dict[str, Any] = {"duration_ms": self.dice.spell(spent)}
        if spent % 1000 == 0 and self.dice.often(0.2):
            said = {"duration_seconds": spent // 1000, "duration_ms": None}
        self.say(made, "component_exit", self.place(name, title) | said)

    def do_things(self, made: Made, name: str, began: int) -> None:
        """Interact and fail; what is said more may go over what was said."""
        dice, here = self.dice, self.at
        for _ in range(dice.randrange(0, 3)):
            self.at = dice.randint(began, here)
            more = dice.choice(
                ({}, {"component_name": "Renamed"}, {"tags": ["a"], "position": {"x": 1}},
                 {"event": "renamed"}, {"load_time_ms": 12.5}, {"note": None})
            )  # fmt: skip
            what = f"save {self.plan['actions']}"  # two equal lines would be one
            fields = {"component_hash": name, "interaction_type": what} | more
            self.say(made, "component_interaction", fields)
            self.plan["actions"] += 1
        if dice.often(0.2):
            self.at = dice.randint(began, here)
            message = dice.choice(
                ("TypeError: x", {"code": 5}, ["a"], None, 17, "Ж" * 2_000)
            )
            said = {"error_message": message, "n": self.plan["errors"]}
            self.say(made, "component_error", said)
            self.plan["errors"] += 1
        self.at = here
        if dice.often(0.1):
            self.user = dice.choice(USERS)

    def say(self, made: Made, event: str, fields: dict[str, Any]) -> None:
        """Write a line."""
        dice, at = self.dice, self.at
        labels = {"job": self.job, "event": event, "service_name": "component"}
        ids = {"user_id": self.user, "session_id": self.own}
        stamp = dice.choice((at, at, str(at), float(at), iso(at)))
        line = {"event": event, "timestamp": stamp}
        if self.in_labels:
            labels |= ids
        else:
            line |= ids
        made.entries.append(entry(at, line | fields, labels))
        self.plan["times"].append(at)
        if not self.plan["users"] or self.plan["users"][-1][1] != self.user:
            self.plan["users"].append((at, self.user))
