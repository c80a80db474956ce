"""Offer what is written in C beside Python, where it was compiled."""

from typing import Any

native: Any  # the module ``_plain``, or None
try:
    from app.events import _plain

    native = _plain
except ImportError:  # not compiled
    native = None
