"""What `skald ...` does, a command or a few each."""
