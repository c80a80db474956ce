"""Which events belong together: a pure fold."""
