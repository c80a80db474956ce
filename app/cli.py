"""Offer Skald on the command line; ``app.commands`` says what each command does."""

from app.commands.base import main

if __name__ == "__main__":
    main()
