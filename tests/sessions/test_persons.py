"""Whose a session is follows from its events alone, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from app.model import Context, Event, Kind
from app.sessions.persons import Person

SOMEBODY = st.sampled_from(["", "", "u1", "u2", "jane", "j@x"])
CONTEXTS = st.builds(
    Context,
    user_id=SOMEBODY,
    user_email=SOMEBODY,
    user_name=SOMEBODY,
    anonymous=st.sampled_from(["", "b1", "b2"]),
)


def session(contexts: list[Context]) -> tuple[list[Event], dict[int, Context]]:
    """Return a session in which each context has an event."""
    events = [
        Event(key, key, key, int(Kind.OTHER), key) for key in range(len(contexts))
    ]
    return events, dict(enumerate(contexts))


@given(st.lists(CONTEXTS, min_size=1, max_size=6))
def test_order_does_not_matter(contexts: list[Context]) -> None:
    """Neither to the verdict nor to what is learned."""
    events, known = session(contexts)
    one, other = Person("u1"), Person("u1")

    for _ in range(4):  # till nothing is learned any more
        first = one.owns(events, known)
        second = other.owns(events[::-1], known)

    assert first == second
    assert one.needles() == other.needles()


@given(st.lists(CONTEXTS, min_size=1, max_size=6))
def test_names_are_not_followed(contexts: list[Context]) -> None:
    """Two people may be called alike: what is learned are ids and e-mails."""
    events, known = session(contexts)
    person = Person("u1")
    person.owns(events, known)

    ids = {each.user_id for each in contexts} | {each.user_email for each in contexts}
    assert person.ids <= ids | {"u1"}


def test_browser_of_somebody_else_is_not_the_persons() -> None:
    """A browser counts where nobody was identified."""
    person = Person("u1")
    events, known = session([Context(user_id="u1", anonymous="b1")])
    assert person.owns(events, known)

    assert person.owns(*session([Context(anonymous="b1")]))
    assert not person.owns(*session([Context(anonymous="b2")]))
    both = [Context(anonymous="b1"), Context(user_id="u2", anonymous="b1")]
    assert not person.owns(*session(both))
    assert Person("b1").owns(*session(both))
