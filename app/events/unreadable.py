"""The one thing a decoder may say of a line it cannot use."""


class Unreadable(ValueError):
    """A line that means nothing to us; ``str()`` is the reason it is counted under."""
