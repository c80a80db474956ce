"""Sessions of OpenObserve's browser SDK, planned by dice; nested, or flat as exported."""

import re
from typing import Any
from uuid import UUID

import orjson

from tests.build import MINUTE
from tests.corpus.made import USERS, Dice, Made, entry, iso, noise

APPS = {"0b5e-1": "shop-web", "0b5e-2": "admin ✓"}
SITES = (
    "https://shop.example/",
    "https://shop.example/cart?token=x#y",
    "https://ü.example/商品",
)
CAME_FROM = (("https://news.example/a?q=1", "news.example"), ("", ""))
NS = 1_000_000  # in a ms
SPANS = {
    "action": "loading_time",
    "resource": "duration",
    "long_task": "duration",
    "vital": "duration",
}
AGENT = {
    "user_agent": {"family": "Chrome Mobile", "major": "142", "minor": "0"},
    "os": {"family": "Mac OS X", "major": "15", "minor": "1"}, "device": {"family": "Other"},
}  # fmt: skip


def openobserve(seed: int) -> Made:
    """Plan sessions of two applications."""
    dice, made = Dice(seed), Made()
    for number in range(8):
        app, own = dice.choice(list(APPS)), f"s-{seed}-{number}"
        if number and dice.often(0.2):
            own = next(iter(made.plan))[1]
        if (APPS[app], own) not in made.plan:
            made.plan[APPS[app], own] = _Visit(dice, app, own).walk(made)
    made.entries += noise(dice, {"job": "rum"})
    return made


class _Visit:
    """One session."""

    def __init__(self, dice: Dice, app: str, own: str) -> None:
        self.dice, self.app, self.own = dice, app, own
        self.at, self.number = dice.start(), 0
        self.is_flat = dice.choice(("", "", "_oo", "_o2"))
        self.user = {"id": dice.choice(USERS)} if dice.often() else {}
        self.is_enriched = dice.often(0.7)
        self.plan: dict[str, Any] = {
            "views": [], "dwells": [], "actions": 0, "errors": 0, "resources": 0,
            "frustrations": 0, "failed": 0, "crashes": 0, "log_errors": 0, "long_tasks": 0,
            "events": 0, "times": [], "users": [], "replay": False, "lcp": [],
            "browser": "Chrome" if self.is_enriched else "",
            "os": "macOS" if self.is_enriched else "",
            "os_version": "15.1" if self.is_enriched else None, "viewport": "820x1106",
        }  # fmt: skip

    def walk(self, made: Made) -> dict[str, Any]:
        """Look at some views; what happens there is told in their versions."""
        dice, plan = self.dice, self.plan
        for _ in range(dice.randrange(1, 5)):
            began = self.at
            view = {"id": self.id(), "url": dice.choice(SITES), "referrer": SITES[0]}
            if not plan["views"]:
                view["referrer"], plan["referrer"] = dice.choice(CAME_FROM)
            if dice.often(0.3):
                self.user = {"id": dice.choice(USERS), "email": "ä@example.org"}
            spent = dice.randrange(1, 20) * MINUTE + dice.randrange(1_000)
            lcp = dice.randrange(100, 9_000)
            versions = dice.randrange(1, 5)
            for version in range(1, versions + 1):
                self.version(made, view, version, versions, spent, lcp)
            lost = dice.often(0.1) and plan["views"]
            if lost:  # every line of the view
                del made.entries[-versions:]
            else:
                plan["views"].append(view["url"].partition("?")[0])
                plan["dwells"].append(spent)
                plan["lcp"].append(float(lcp))
                plan["events"] += 1
                plan["times"] += [began, began + spent]
                plan["users"].append(self.user.get("id"))
            for _ in range(dice.randrange(0, 6)):
                self.at = began + dice.randrange(spent)
                self.happen(made, view)
            self.at = began + spent + dice.randrange(1, 5_000)
        return plan

    def version(
        self,
        made: Made,
        view: dict[str, Any],
        number: int,
        last: int,
        spent: int,
        lcp: int,
    ) -> None:
        """Tell of a view so far; the newest version has it all."""
        share = spent * number // last
        said = {
            "time_spent": share * NS,
            "error": {"count": 0},
            "is_active": number < last,
        }
        paint = lcp * NS if number == last else (lcp * NS) // 2
        if self.dice.often(0.2):
            said["performance"] = {"lcp": {"timestamp": paint}}
        else:
            said["largest_contentful_paint"] = self.dice.spell(paint)
        kind = "view"
        if 1 < number < last and self.dice.often():  # says what changed, and no more
            kind, view = "view_update", {"id": view["id"]}
        self.say(made, kind, view | said, {}, version=self.dice.spell(number))

    def happen(self, made: Made, view: dict[str, Any]) -> None:
        """Let one thing happen on a view, and plan what it counts as."""
        dice, plan = self.dice, self.plan
        kind = dice.choice(
            ("action", "error", "resource", "long_task", "vital", "log", "replay")
        )
        here = {name: view[name] for name in ("id", "url")}
        took = dice.randrange(0, 40 * MINUTE)
        if kind == "log":
            status = dice.choice(("error", "info", "debug", "warn"))
            fields = {"status": status, "message": f"m {self.id()}"}
            self.say(made, "", here, fields)
            plan["log_errors"] += status == "error"
        elif kind == "replay":
            fields = {"start": self.at, "end": self.at + took, "records_count": 3}
            self.say(made, "", {"id": here["id"]}, fields, date=None)
            plan["replay"] = True
            return
        else:
            body: dict[str, Any] = {"id": self.id()}
            ends = self.at
            if kind in SPANS and dice.often(0.8):
                body[SPANS[kind]] = dice.spell(took * NS)
                ends += took
            body |= (
                getattr(self, kind)() if kind in {"action", "error", "resource"} else {}
            )
            plan["long_tasks"] += kind == "long_task"
            self.say(made, kind, here, {kind: body})
            plan["events"] += 1
            plan["times"].append(ends)
        plan["times"].append(self.at)
        plan["users"].append(self.user.get("id"))

    def action(self) -> dict[str, Any]:
        """Do something, in vain perhaps."""
        kinds = self.dice.choice(
            ([], [], ["rage_click"], ["dead_click", "error_click"])
        )
        self.plan["actions"] += 1
        self.plan["frustrations"] += bool(kinds)
        more = {"frustration": {"type": kinds}} if kinds or self.dice.often() else {}
        return {"type": "click", "target": {"name": "Buy ✓"}} | more

    def error(self) -> dict[str, Any]:
        """Fail."""
        crash = self.dice.often(0.2)
        self.plan["errors"] += 1
        self.plan["crashes"] += crash
        said = {"message": self.dice.choice(("boom", "line\n2", None)), "type": "Error"}
        return said | ({"is_crash": True} if crash else {})

    def resource(self) -> dict[str, Any]:
        """Request something."""
        status = self.dice.choice((0, 200, 304, 399, 400, 404, 503))
        self.plan["resources"] += 1
        self.plan["failed"] += status >= 400
        return {
            "status_code": self.dice.spell(status),
            "url": SITES[1],
            "type": "fetch",
        }

    def say(
        self,
        made: Made,
        kind: str,
        view: dict[str, Any],
        fields: dict[str, Any],
        **more: Any,
    ) -> None:
        """Write a line, some time after it happened."""
        dice = self.dice
        line: dict[str, Any] = {
            "application": {"id": self.app}, "service": APPS[self.app],
            "session": {"id": self.own}, "view": view,
            "date": dice.choice((self.at, self.at, str(self.at), float(self.at), iso(self.at))),
            "ootags": "env:prod,version:1.2",
            "display": {"viewport": {"width": 820, "height": 1106}}, "account": None,
        }  # fmt: skip
        if "date" in more:
            del line["date"]
        if kind:
            line["type"] = kind
        if self.user or dice.often(0.2):
            line["usr"] = self.user
        own = {"format_version": 2} | (
            {"document_version": more["version"]} if "version" in more else {}
        )
        line |= {self.is_flat or "_oo": own} | fields
        if self.is_enriched:
            line |= {"user_agent": AGENT, "geo_info": {"country_iso_code": None}}
        if kind == "view_update":
            for name in (
                "service",
                "ootags",
                "display",
                "usr",
                "user_agent",
                "geo_info",
            ):
                line.pop(name, None)
        received = self.at + dice.randrange(0, 20 * MINUTE)
        told = flatten(line) if self.is_flat else line
        self.number += 1
        made.entries.append(entry(received, told, {"job": "rum"}, self.number))

    def id(self) -> str:
        """Return a new id."""
        return str(UUID(int=self.dice.getrandbits(128)))


def flatten(fields: dict[str, Any], prefix: str = "", depth: int = 3) -> dict[str, Any]:
    """Write *fields* as OpenObserve exports them."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        key = prefix + re.sub(r"[^a-z0-9_]", "_", name.lower())
        if isinstance(value, dict) and value and depth:
            found |= flatten(value, f"{key}_", depth - 1)
        elif isinstance(value, (dict, list)) and value:
            found[key] = orjson.dumps(value).decode()
        elif value not in (None, {}, []):
            found[key] = value
    return found
