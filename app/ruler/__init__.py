"""The rule service: YAML → sample."""
