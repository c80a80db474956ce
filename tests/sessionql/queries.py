"""Make random queries: a tree, and the text of it."""

import random
from typing import Any

from tests.sessionql.reference import HAVE, KINDS, kinds_selected
from tests.sessionql.worlds import (
    ACTIONS,
    ATTRIBUTES,
    BROWSERS,
    COUNTRIES,
    ERRORS,
    HOUR,
    MESSAGES,
    NOON,
    PAGES,
    PLANS,
    USERS,
    VERSIONS,
)  # fmt: skip

Tree = Any
TEXTS = {
    "app": ("shop", "blog"), "version": VERSIONS, "browser": BROWSERS,
    "country": COUNTRIES, "entry": PAGES, "exit": PAGES, "user": USERS,
    "user_name": USERS, "status": ("healthy", "errored", "crashed"),
    "id": ("s1", "s2", "s'3"), "source": ("faro", "other"), "previous": ("s1",),
    "environment": ("production",), "device": ("mobile",),
    "page": PAGES, "action": ACTIONS, "error": ERRORS, "message": MESSAGES,
    "fingerprint": ("x",), **dict.fromkeys(ATTRIBUTES, PLANS),
}  # fmt: skip
NUMBERS = {
    "duration": (0, 1_000, 60_000, 90_500), "views": (0, 1, 2, 3),
    "actions": (0, 1, 2), "errors": (0, 1, 2), "events": (1, 4, 9),
    "log_errors": (0, 1), "failed_requests": (0, 1), "resources": (0, 1),
    "dwell": (0, 1_000, 30_000), "lcp": (100, 200, 400), "inp": (100, 200),
    "cls": (0.125, 0.25), "ttfb": (100,), "fcp": (200,),
}  # fmt: skip
LENGTHS = {"duration", "dwell", "lcp", "inp", "ttfb", "fcp"}
BOOLEANS = ("bounced", "returning", "active")
ALONE = [
    name for name in (*TEXTS, *NUMBERS, *BOOLEANS, "start", "end") if name not in HAVE
]
OF_KIND = {kind: [n for n, kinds in HAVE.items() if kind in kinds] for kind in KINDS}
GROUPS = (
    "app",
    "version",
    "browser",
    "entry",
    "status",
    "user",
    "country",
    *ATTRIBUTES,
)
PATTERNS = (".*", ".+", "", "/.*", "[a-c]", ".*é.*", "(?i)CHROME|Safari", "1\\.[01]",
            "[^x]*", "u1|u2", ".*\\..*", "p.*m")  # fmt: skip
EXACT = ("count", "distinct", "sum", "min", "max", "active")  # whole in both worlds


class Maker:
    """Makes queries with the dice of one seed."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def chance(self, share: float) -> bool:
        """Throw the dice."""
        return self.dice.random() < share

    # -- conditions ----------------------------------------------------------------

    def compare(self, name: str) -> Tree:
        """Compare a field with something that fits."""
        pick = self.dice.choice
        if self.chance(0.07):
            return ("compare", name, pick(["=", "!="]), None)
        if name in ATTRIBUTES and self.chance(0.3):
            op = pick(["=", "!=", "<", "<=", ">", ">="])
            return ("compare", name, op, pick((0, 3, 2.5, 10, -1)))
        if name in TEXTS:
            op = pick(["=", "=", "=", "!=", "=~", "!~"])
            value = pick(PATTERNS) if "~" in op else pick((*TEXTS[name], ""))
            return ("compare", name, op, value)
        if name in NUMBERS:
            return (
                "compare",
                name,
                pick(["=", "!=", "<", "<=", ">", ">="]),
                pick(NUMBERS[name]),
            )
        if name in BOOLEANS:
            return ("compare", name, pick(["=", "!="]), self.chance(0.5))
        at = NOON + self.dice.randrange(-2, 3) * HOUR
        return ("compare", name, pick(["<", "<=", ">", ">=", "=", "!="]), at)

    def condition(self, names: list[str], depth: int) -> Tree:
        """Make a condition on some of these fields."""
        if depth and self.chance(0.45):
            what = self.dice.choice(("and", "or", "not"))
            count = 1 if what == "not" else self.dice.randint(2, 3)
            return (what, *(self.condition(names, depth - 1) for _ in range(count)))
        if names is ALONE and self.chance(0.08):
            return (
                "text",
                self.dice.choice(("cart", "ä", "É", "%", "_", "pre", "U1", "s1")),
            )
        return self.compare(self.dice.choice(names))

    def inside(self) -> Tree:
        """Make what stands in one pair of braces."""
        roll = self.dice.random()
        if roll < 0.1:
            return None
        if roll < 0.3:
            return self.condition(ALONE, 2)
        if roll < 0.4:
            return ("or", *(self._simple() for _ in range(2)))
        return self._simple()

    def _simple(self) -> Tree:
        kind = self.dice.choice(("view", "view", "view", "action", "error"))
        about = self.condition(OF_KIND[kind], 1)
        if self.chance(0.5):
            return about
        parts = [about, self.condition(ALONE, 1)]
        self.dice.shuffle(parts)
        return ("and", *parts)

    # -- sets ----------------------------------------------------------------------

    def set(self, depth: int) -> Tree:
        """Make a set."""
        roll = self.dice.random()
        if not depth or roll < 0.35:
            return ("braces", self.inside())
        if roll < 0.65:
            return self._sequence(depth)
        if roll < 0.71:
            return ("not", self.set(depth - 1))
        what = self.dice.choice(("and", "or"))
        return (what, *(self.set(depth - 1) for _ in range(2)))

    def _sequence(self, depth: int) -> Tree:
        op = self.dice.choice((">>", ">", "!>>", "!>"))
        sides = []
        while len(sides) < 2:
            side = self.set(depth - 1)
            if len(kinds_selected(side)) < 2:
                sides.append(side)
        return ("sequence", op, *sides)

    # -- figures -------------------------------------------------------------------

    def leaf(
        self, names: tuple[str, ...] = (), by: tuple[str, ...] | None = None
    ) -> Tree:
        """Make one figure."""
        pick = self.dice.choice
        name = pick(
            names or (*EXACT, "count", "avg", "quantile", "histogram", "share", "rate")
        )
        given: tuple[Any, ...] = ()
        if name in {"sum", "avg", "quantile", "histogram"}:
            given = (pick(list(NUMBERS)),)
        elif name in {"min", "max"}:
            given = (pick([*NUMBERS, "start", "end"]),)
        elif name == "distinct":
            given = (pick(list(TEXTS)),)
        elif name == "share":
            is_set = self.chance(0.3)
            tree = self.set(1) if is_set else self.inside() or self.compare("errors")
            given = (("set" if is_set else "condition", tree),)
        if name == "quantile":
            given += tuple(
                sorted(self.dice.sample((0, 0.25, 0.5, 0.9, 1), pick((1, 1, 2))))
            )
        if name == "histogram":
            given += tuple(sorted(self.dice.sample((0, 0.125, 1, 2, 100, 60_000), 3)))
        if name == "sum" and by is None and self.chance(0.25):  # events, not sessions
            given, by = (pick(("views", "actions", "errors")),), ("page",)
        by = self._by(given) if by is None else by
        back = pick((0, 0, 0, 0, HOUR, 90 * 60_000))
        return ("leaf", self.set(pick((0, 1, 2))), name, given, by, back)

    def _by(self, given: tuple[Any, ...]) -> tuple[str, ...]:
        names = list(self.dice.sample(GROUPS, self.dice.choice((0, 0, 1, 1, 2))))
        kinds = (
            HAVE.get(given[0], KINDS) if given and isinstance(given[0], str) else KINDS
        )
        if self.chance(0.45):
            kind = self.dice.choice(kinds)
            kinds = (kind,)
            found = [n for n in OF_KIND[kind] if n in TEXTS]
            names += self.dice.sample(
                found, 1 if self.chance(0.8) else min(2, len(found))
            )
        return tuple(names)

    def figures(self, depth: int = 2) -> Tree:
        """Make figures."""
        roll = self.dice.random()
        if not depth or roll < 0.6:
            return self.leaf()
        if roll < 0.72:
            ranked = self.leaf(EXACT)
            return ("rank", ranked, self.dice.randint(1, 3), self.chance(0.6))
        if roll < 0.76:
            return ("minus", self.leaf(EXACT))
        return self._operation(depth)

    def _operation(self, depth: int) -> Tree:
        op = self.dice.choice(
            ["+", "-", "*", "/", "%", "^", "==", "!=", "<", "<=", ">", ">="]
        )
        is_bool = op in {"==", "!=", "<", "<=", ">", ">="} and self.chance(0.3)
        left = self.leaf(EXACT)
        roll = self.dice.random()
        if roll < 0.35:
            number = ("number", self.dice.choice((0, 1, 2, 0.5, 3, 60_000)))
            sides = [left, number]
            self.dice.shuffle(sides)
            return ("operation", op, *sides, None, is_bool)
        if roll < 0.45 and depth > 1:
            right = self._operation(depth - 1)
        else:
            by = (
                left[4]
                if roll < 0.8
                else tuple(reversed(left[4]))
                if roll < 0.9
                else None
            )
            right = self.leaf(EXACT, by)
            if leaf_refused(right):
                right = self.leaf(("count",), by)
        return ("operation", op, left, right, self._matching(left), is_bool)

    def _matching(self, left: Tree) -> Tree:
        if self.chance(0.7):
            return None
        names = left[4]
        chosen = tuple(self.dice.sample(names, self.dice.randint(0, len(names))))
        return (
            self.dice.choice(("on", "ignoring")),
            chosen,
            self.dice.choice(("", "left", "right")),
        )


def leaf_refused(leaf: Tree) -> bool:
    """Tell whether no event has all that a figure is about."""
    _, _, _, given, by, _ = leaf
    field = given[0] if given and isinstance(given[0], str) else ""
    wanted = [HAVE[each] for each in (*by, field) if each in HAVE]
    return bool(wanted) and not any(all(k in each for each in wanted) for k in KINDS)


# -- texts -------------------------------------------------------------------------------


class Writer:
    """Writes a tree, in one of the ways in which it can be written."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def condition(self, tree: Tree, depth: int = 0) -> str:
        """Write a condition."""
        what, *parts = tree
        if what in {"and", "or"}:
            word = " && " if what == "and" else self.dice.choice((" || ", "||"))
            text = word.join(self.condition(each, depth + 1) for each in parts)
            return f"({text})" if depth or self.dice.random() < 0.2 else text
        if what == "not":
            return f"!({self.condition(parts[0])})"
        if what == "text":
            return self.string(parts[0])
        name, op, value = parts
        return f"{name}{self.space()}{op}{self.space()}{self.value(name, value)}"

    def space(self) -> str:
        """Write some space, or none."""
        return self.dice.choice(("", " ", "\n "))

    def value(self, name: str, value: Any) -> str:
        """Write a value."""
        if value is None:
            return "nil"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str):
            return self.string(value)
        if name in LENGTHS and value and self.dice.random() < 0.5:
            return f"{value / 1000:g}s" if self.dice.random() < 0.5 else f"{value}ms"
        return str(value)

    def string(self, text: str) -> str:
        """Quote a string."""
        if "`" not in text and self.dice.random() < 0.3:
            return f"`{text}`"
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        if self.dice.random() < 0.3:
            escaped = "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in escaped)
        return f'"{escaped}"'

    def set(self, tree: Tree, depth: int = 0) -> str:
        """Write a set."""
        what, *parts = tree
        if what == "braces":
            inside = "" if parts[0] is None else self.condition(parts[0])
            return f"{{{self.space()}{inside} }}"
        if what == "not":
            return f"!({self.set(parts[0])})"
        if what == "sequence":
            left, right = (self.set(each, depth + 1) for each in parts[1:])
            text = f"{left} {parts[0]} {right}"
        else:
            word = " && " if what == "and" else " || "
            text = word.join(self.set(each, depth + 1) for each in parts)
        return f"({text})" if depth else text

    def figures(self, tree: Tree) -> str:
        """Write figures."""
        what, *parts = tree
        if what == "number":
            return str(parts[0])
        if what == "minus":
            return f"-({self.figures(parts[0])})"
        if what == "rank":
            word = "topk" if parts[2] else "bottomk"
            return f"{self.figures(parts[0])} | {word}({parts[1]})"
        if what == "operation":
            return self._operation(*parts)
        return self._leaf(*parts)

    def _operation(
        self,
        op: str,
        left: Tree,
        right: Tree,
        matching: Tree,
        is_bool: bool,  # noqa: FBT001
    ) -> str:
        words = [op, "bool"] if is_bool else [op]
        if matching:
            how, names, many = matching
            words.append(f"{how} ({', '.join(names)})")
            words += [f"group_{many}"] if many else []
        sides = [
            self.figures(each) if each[0] == "number" else f"({self.figures(each)})"
            for each in (left, right)
        ]
        # PromQL's own trap: group_left (x) would be a list of labels
        return f"{sides[0]} {' '.join(words)}{' ()' if matching and matching[2] else ''} {sides[1]}"

    def _leaf(self, chosen: Tree, name: str, given: Any, by: Any, back: int) -> str:
        if name == "share":
            what, tree = given[0]
            asked = self.set(tree) if what == "set" else self.condition(tree)
        else:
            asked = ", ".join(map(str, given))
        function = "rate" if name == "rate" else f"{name}_over_time"
        text = self.set(chosen)
        if back:
            text = f"({text})[{back // 60_000}m]"
        text += f" | {function}({asked})"
        return f"{text} by ({', '.join(by)})" if by else text
