"""Offer Skald on the command line; ``app.commands`` says what each command does."""

import gc

gc.set_threshold(50_000, 20, 50)  # importing makes no garbage, and decoding no cycles

from app.commands.base import main  # noqa: E402

if __name__ == "__main__":
    main()
