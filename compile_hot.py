"""Compile the hot modules beside their sources: ``make`` calls this in a checkout.

It does nothing when it was done before; without a C compiler it says so, and all runs as
it is. ``hatch_build.py`` does the same for the wheel.
"""

import os
import runpy
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COMPILED = runpy.run_path(str(ROOT / "app/compiled.py"))  # without importing app
HOT: tuple[str, ...] = COMPILED["HOT"]
NATIVE: tuple[str, ...] = COMPILED["NATIVE"]
STAMP = ROOT / COMPILED["STAMP"]
GROUP = "skald"  # mypyc's library, skald__mypyc, lies beside app/


def compile_into(place: Path) -> list[Path]:
    """Compile the hot modules into *place*; return what was made, relative to it.

    Raises:
        Exception: of setuptools or its compiler, when it cannot be done.
        SystemExit: mypy found an error.
    """
    from mypyc.build import mypycify
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    before = Path.cwd()
    os.chdir(ROOT)  # mypyc takes paths of modules from here
    os.environ.setdefault("CFLAGS", "-g0")
    try:
        with tempfile.TemporaryDirectory() as c_files:
            extensions = mypycify(
                ["--config-file=pyproject.toml", "--follow-imports=silent", *HOT],
                opt_level="3",
                group_name=GROUP,
                target_dir=c_files,
            )
            extensions += [
                Extension(_module(name), [name], extra_compile_args=["-O3"])
                for name in NATIVE
            ]
            command = build_ext(
                Distribution({"name": GROUP, "ext_modules": extensions})
            )
            command.build_lib = str(place)
            command.build_temp = c_files
            command.finalize_options()
            command.run()
    finally:
        os.chdir(before)
    return [Path(made).relative_to(place) for made in command.get_outputs()]


def _module(name: str) -> str:
    return name.removesuffix(".c").replace("/", ".")


def why_not() -> str:
    """Return what is missing for compiling, or "" when nothing is."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if not shutil.which(compiler):
        return f"no C compiler ({compiler})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "no Python.h (Debian and Ubuntu: apt-get install python3-dev)"
    return ""


def remove() -> None:
    """Remove what was compiled in the checkout."""
    STAMP.unlink(missing_ok=True)
    for made in (*ROOT.glob(f"{GROUP}__mypyc.*"), *(ROOT / "app").rglob("*")):
        if made.suffix in {".so", ".pyd"}:
            made.unlink()


def compile_in_place() -> str:
    """Compile the checkout if it is not; return why it could not be, or ""."""
    if (
        STAMP.exists()
        and COMPILED["is_compiled"](ROOT)
        and not COMPILED["is_stale"](ROOT)
    ):
        return ""
    remove()
    missing = why_not()
    if missing:
        return missing
    print("Compiling the hot path (once) ...", flush=True)
    digest = COMPILED["digest"](ROOT)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        try:
            made = compile_into(place)
        except (Exception, SystemExit) as err:  # noqa: BLE001  # never in the way
            return f"it failed: {err}"
        STAMP.write_text(digest, "utf-8")
        for path in made:
            shutil.copy2(place / path, ROOT / path)
    return ""


if __name__ == "__main__":
    if "--remove" in sys.argv:
        remove()
    elif "--remove-stale" in sys.argv:
        if COMPILED["is_stale"](ROOT):
            remove()
    elif reason := compile_in_place():
        print(f"The hot path is not compiled, {reason}; all works, slower.")
