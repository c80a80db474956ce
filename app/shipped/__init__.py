"""Find the rules and dashboards that ship with Skald.

In a checkout they are the directories ``rules/`` and ``grafana/`` at its root; a wheel
carries copies of both inside this package.
"""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parent.parent


def rules_dir() -> Path:
    """Return the directory of the rule files."""
    return _find("rules")


def grafana_dir() -> Path:
    """Return the directory of dashboards and provisioning."""
    return _find("grafana")


def _find(name: str) -> Path:
    packaged = _HERE / name
    return packaged if packaged.is_dir() else _CHECKOUT / name
