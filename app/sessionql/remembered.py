"""Check a name of what rules recorded, and the labels that are asked of it."""

from app.sessionql import syntax as tree
from app.sessionql.check import Checker
from app.sessionql.filters import Compare
from app.sessionql.plan import Recorded

_OPERATORS = frozenset({"=", "==", "!=", "=~", "!~"})


def recorded_of(check: Checker, node: tree.Named, span: int) -> Recorded:
    """Return the plan of a recorded name; which labels there are, nobody knows yet.

    Raises:
        QueryError: its labels are not compared with strings.
    """
    condition = node.braces.condition if node.braces else None
    matchers = tuple(_matcher(check, each) for each in _listed(condition))
    by = None if node.by is None else tuple(dict.fromkeys(map(str, node.by)))
    return Recorded(str(node.at), matchers, by, span)


def _matcher(check: Checker, node: tree.Node) -> Compare:
    if (
        not isinstance(node, tree.Comparison)
        or node.value.kind != "string"
        or node.op not in _OPERATORS
    ):
        raise check.error(node.at, 'labels are compared as in {app="shop"}, with &&')
    value = check.string(node.value.at)
    if node.op in {"=~", "!~"}:
        check.pattern(node.value.at, value)
    return Compare(str(node.at), "=" if node.op == "==" else str(node.op), (value,))


def _listed(node: tree.Node | None) -> tuple[tree.Node, ...]:
    if node is None:
        return ()
    if isinstance(node, tree.Joined) and node.at.type == "AND":
        return node.parts
    return (node,)
