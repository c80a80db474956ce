"""Answer over HTTP: the JSON data source, flat rows for Infinity, search, operations."""
