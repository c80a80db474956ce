"""Say who, on what, in which release and where: of a whole session."""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

from app.events.clean import host_of
from app.model import Context, Event, Kind
from app.sessions.fold import MAX_ATTRIBUTES

ACTION, VISIT = int(Kind.ACTION), int(Kind.VISIT)
Moment = tuple[int, Event]  # (believed time, ms; event)
Contexts = Mapping[int, Context]


class Described(NamedTuple):
    """Who, on what, in which release, where: of a whole session."""

    context: Context
    users: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]


_FIELDS = tuple(n for n in Context.__struct_fields__ if n != "attributes")
_values = attrgetter(*_FIELDS)
_USER = ("user_id", "user_name", "user_email")
_SHARED = tuple(name for name in _FIELDS if name not in _USER)
_shared = attrgetter(*_SHARED)


def describe(
    moments: list[Moment], contexts: Contexts, *, newcomer: bool = False
) -> Described:
    """Return the newest context field by field, all users, all attributes.

    The user is the last one identified, id, name and e-mail from one line; with
    *newcomer* the last one to appear first.
    """
    order = list(dict.fromkeys(event.context for _, event in reversed(moments)))
    newest = dict.fromkeys(_SHARED, "")
    for key in order:
        for name, value in zip(_SHARED, _shared(contexts[key]), strict=True):
            if value and not newest[name]:
                newest[name] = value
    newest["referrer"] = _came_from(moments, contexts)
    users = _users(moments, contexts)
    names = list(users)
    last: Context | None
    if newcomer and names:
        last = users[names[-1]]
    else:
        last = next((c for c in map(contexts.__getitem__, order) if _user(c)), None)
    if last is not None:
        newest |= {name: getattr(last, name) for name in _USER}
    anonymous = newest["anonymous"]
    listed = tuple(names) or ((anonymous,) if anonymous else ())
    return Described(
        Context(**newest),  # type: ignore[arg-type]  # all of them strings
        listed[:MAX_ATTRIBUTES],
        _attributes(moments, contexts, reversed(order), last),
    )


def _came_from(moments: list[Moment], contexts: Contexts) -> str:
    """Return the host that the first view was reached from; "" of one's own site."""
    first = next((event for _, event in moments if event.kind == VISIT), moments[0][1])
    context = contexts[first.context]
    return "" if context.referrer == host_of(context.url) else context.referrer


def overlay(newest_first: list[Context]) -> Context:
    """Lay what later versions of one thing say over what earlier ones said.

    Id, name and e-mail come from one version, so that no two users are mixed.
    """
    said = dict.fromkeys(_SHARED, "")
    attributes: dict[str, str] = {}
    for context in newest_first:
        for name, value in zip(_SHARED, _shared(context), strict=True):
            if value and not said[name]:
                said[name] = value
        attributes = context.attributes | attributes
    identified = next(filter(_user, newest_first), newest_first[0])
    said |= {name: getattr(identified, name) for name in _USER}
    return Context(**said, attributes=attributes)


def _user(context: Context) -> str:
    return context.user_id or context.user_email or context.user_name


def _users(moments: list[Moment], contexts: Contexts) -> dict[str, Context]:
    """Return all users in the order in which they first appear."""
    users: dict[str, Context] = {}
    for _, event in moments:
        context = contexts[event.context]
        user = _user(context)
        if user:
            users.setdefault(user, context)
    return users


def _attributes(
    moments: list[Moment],
    contexts: Contexts,
    order: Iterable[int],
    user: Context | None,
) -> tuple[tuple[str, str], ...]:
    """Return the newest of each attribute; those of users but of *user* alone."""
    found: dict[str, str] = {}
    for key in order:
        context = contexts[key]
        is_theirs = user is None or _user(context) in {"", _user(user)}
        found |= {
            name: value
            for name, value in context.attributes.items()
            if is_theirs or not name.startswith("user.")
        }
    for _, event in moments:
        if event.kind == ACTION:
            for name, value in (event.facts or {}).items():
                if name not in _OWN and len(found) < 4 * MAX_ATTRIBUTES:
                    found["event." + name] = str(value)
    return tuple(sorted(found.items())[:MAX_ATTRIBUTES])


_OWN = frozenset(
    (
        "trigger", "trace", "span", "id", "type", "view", "frustration", "target",
        "part", "replay",
    )
)  # fmt: skip
