"""Turn entries into events, one decoder a format."""
