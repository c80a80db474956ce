"""Test rules: a small world in YAML, and what the rules should make of it."""
