"""Turn ``skald.yml`` and the environment into settings, or refuse them completely."""
