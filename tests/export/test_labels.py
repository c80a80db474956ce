"""Labels that say who somebody is do not leave; others do."""

import pytest

from app.export.labels import is_barred


@pytest.mark.parametrize(
    "name",
    [
        "user", "user_email", "trace_user", "session_id", "Session_Id", "previous",
        "session_user_id", "event_user_id", "event_email", "user_username",
    ],
)  # fmt: skip
def test_who_it_was_stays_here(name: str) -> None:
    """Fields and attributes that name a person or a session are barred."""
    assert is_barred({"app": "shop", name: "x"})


@pytest.mark.parametrize(
    "name",
    [
        "app",
        "model",
        "session_plan",
        "session_user_tier",
        "user_plan",
        "page_id",
        "trace",
    ],
)
def test_what_it_was_may_leave(name: str) -> None:
    """A tier, a plan, a model, the id of a page are no person's."""
    assert not is_barred({name: "x"})
