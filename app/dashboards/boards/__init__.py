"""The boards that ship with Skald, one module each."""

from app.dashboards.boards import (
    components,
    errors,
    itself,
    journeys,
    llm,
    releases,
    session,
    sessions,
    user,
    users,
    vitals,
)

BOARDS = (
    sessions.BOARD,
    session.BOARD,
    users.BOARD,
    user.BOARD,
    journeys.BOARD,
    errors.BOARD,
    vitals.BOARD,
    components.BOARD,
    llm.BOARD,
    releases.BOARD,
    itself.BOARD,
)
