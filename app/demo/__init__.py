"""A small living world behind a stand-in Loki: the demo, the tests, the benchmark."""
