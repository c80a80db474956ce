"""Tell which events are one person's: a pure function of what they say of their user.

A person is known by user id, e-mail, name or the anonymous id of a browser. Lines that
say several of them at once tell that they belong together: those who are asked for by
one are found by all, but never by name, since two people may be called alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from app.model import Context, Event, Kind

_TRACED = (int(Kind.TRACE), int(Kind.OBSERVATION))


def identities(event: Event, context: Context) -> tuple[str, ...]:
    """Return by what an event identifies its user: id, e-mail, name; none if it does not."""
    found = [context.user_id, context.user_email, context.user_name]
    if event.kind in _TRACED and event.facts:
        found.append(str(event.facts.get("user") or ""))
    return tuple(each for each in found if each)


@dataclass(slots=True)
class Person:
    """What is known of whom we look for; it grows with what is found.

    Attributes:
        asked: what was asked for: an id, e-mail or name, or the id of a browser.
        ids: other ids and e-mails that lines say beside it.
        browsers: anonymous ids of browsers in which the person was identified.
    """

    asked: str
    ids: set[str] = field(default_factory=set)
    browsers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Look for what was asked for."""
        self.ids.add(self.asked)

    def needles(self) -> list[str]:
        """Return all texts of which one is in whatever is the person's."""
        return sorted(self.ids | self.browsers)

    def size(self) -> int:
        """Return how much is known; it only grows."""
        return len(self.ids) + len(self.browsers)

    def is_named(self, event: Event, context: Context) -> bool:
        """Tell whether the event itself says that it is the person's."""
        said = identities(event, context)
        return context.anonymous == self.asked or not self.ids.isdisjoint(said)

    def is_another(self, event: Event, context: Context) -> bool:
        """Tell whether the event says that it is somebody else's."""
        return bool(identities(event, context)) and not self.is_named(event, context)

    def owns(self, events: Iterable[Event], contexts: Mapping[int, Context]) -> bool:
        """Tell whether a session of *events* is the person's, and learn from it.

        It is when one event names the person; or when none names anybody, in a browser
        in which the person was identified.
        """
        is_named = is_somebodys = is_known_browser = False
        for event in events:
            context = contexts[event.context]
            said = identities(event, context)
            is_somebodys = is_somebodys or bool(said)
            is_known_browser = is_known_browser or context.anonymous in self.browsers
            if not self.ids.isdisjoint(said):
                is_named = True
                self._learn(event, context)
            elif context.anonymous == self.asked:
                is_named = True
        return is_named or (is_known_browser and not is_somebodys)

    def _learn(self, event: Event, context: Context) -> None:
        """Take up the other identities of an event that names the person."""
        unnamed = msgspec.structs.replace(context, user_name="")
        self.ids.update(identities(event, unnamed))
        if context.anonymous:
            self.browsers.add(context.anonymous)
