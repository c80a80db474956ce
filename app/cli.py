"""Offer Skald on the command line: every command registers itself with ``main``."""

from app.commands import asking, demonstrating, doctoring, indexing, serving
from app.commands.base import main

COMMANDS = (asking, demonstrating, doctoring, indexing, serving)

if __name__ == "__main__":
    main()
