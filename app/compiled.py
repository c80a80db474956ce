"""Say which modules are compiled where a C compiler is, and whether they were.

Every line of a log goes through these: mypyc turns them into C, and without it they run
as they are, with the same results. ``compile_hot.py`` compiles them.
"""

import hashlib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

# No msgspec.Struct may be defined in one of them: compiled, it would be another class.
HOT = (
    "app/events/clean.py",
    "app/events/devices.py",
    "app/events/faro.py",
    "app/events/faro_items.py",
    "app/events/faro_meta.py",
    "app/events/faro_pairs.py",
    "app/events/logfmt.py",
    "app/events/times.py",
    "app/sessions/clocks.py",
    "app/sessions/derive.py",
    "app/sessions/fold.py",
    "app/sessions/timeline.py",
    "app/sessions/views.py",
    "app/store/dirt.py",
    "app/store/inserts.py",
    "app/store/ledger.py",
    "app/store/newcomers.py",
    "app/store/rows.py",
    "app/store/told_rows.py",
    "app/store/writer.py",
)
NATIVE = ("app/events/_plain.c",)  # beside what says the same in Python

ROOT = Path(__file__).resolve().parents[1]
STAMP = Path("app/.compiled")  # of a checkout: the digest of what was compiled
STALE = (
    "sources were edited after they were compiled, and what was compiled would run:"
    " run `make compiled`, or `make pure`"
)


def digest(root: Path = ROOT) -> str:
    """Return the digest of the sources of ``HOT`` and ``NATIVE`` below *root*."""
    found = hashlib.sha256()
    for name in (*HOT, *NATIVE):
        found.update(name.encode())
        found.update((root / name).read_bytes())
    return found.hexdigest()


def is_compiled(root: Path = ROOT) -> bool:
    """Tell whether the hot modules run as C."""
    return any(
        (root / HOT[0]).with_suffix(suffix).exists() for suffix in EXTENSION_SUFFIXES
    )


def manner(root: Path = ROOT) -> str:
    """Return how the hot modules run, for people."""
    return "compiled" if is_compiled(root) else "pure Python"


def is_stale(root: Path = ROOT) -> bool:
    """Tell whether what was compiled in a checkout is of other sources than these."""
    stamp = root / STAMP
    if not is_compiled(root) or not stamp.exists():  # an installed wheel has no stamp
        return False
    return stamp.read_text("utf-8") != digest(root)
