"""Skald: session analytics for Grafana, over the logs kept in Loki."""
