"""What is built works away from the checkout."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.version import __version__

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Run *command* with nothing of the checkout in its environment, and *more*."""
    environ = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("SKALD_", "PYTHON", "VIRTUAL_ENV", "COV_"))
    }
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environ | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the Python of an empty environment into which the wheel was installed.

    Several processes of one run share it; the first makes it.
    """
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "wheel"
    place.mkdir(exist_ok=True)
    made = place / "made"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            install_wheel(place)
            made.touch()
    return place / "env/bin/python"


def install_wheel(place: Path) -> None:
    """Build the wheel and install it, with what is pinned, into ``place/env``."""
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
    run(*build, "--outdir", place, ROOT, cwd=place)
    run(sys.executable, "-m", "venv", place / "env", cwd=place)
    python = place / "env/bin/python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "-r", ROOT / "requirements.txt", cwd=place)
    (wheel,) = place.glob("*.whl")
    run(*pip, "--no-deps", wheel, cwd=place)
    run(python, "-m", "pip", "check", cwd=place)


def test_command_is_installed(python: Path, tmp_path: Path) -> None:
    """``skald`` says its commands and its version."""
    skald = python.with_name("skald")

    assert "Session analytics for Grafana" in run(skald, "--help", cwd=tmp_path)
    assert __version__ in run(skald, "--version", cwd=tmp_path)
    assert "port: 8700" in run(skald, "settings", cwd=tmp_path)


def test_rules_and_dashboards_are_found(python: Path, tmp_path: Path) -> None:
    """What ships with Skald ships in the wheel, all of it."""
    script = (
        "from app.shipped import grafana_dir, rules_dir\n"
        "for each in (rules_dir(), grafana_dir()):\n"
        "    for path in each.rglob('*'):\n"
        "        print(each.name, path.relative_to(each))\n"
    )

    found = run(python, "-c", script, cwd=tmp_path).splitlines()

    assert sorted(found) == sorted(
        f"{name} {path.relative_to(ROOT / name)}"
        for name in ("rules", "grafana")
        for path in (ROOT / name).rglob("*")
        if "__pycache__" not in path.parts
    )


def test_installed_package_is_not_the_checkout(python: Path, tmp_path: Path) -> None:
    """The tests above would prove nothing if the checkout were on the path."""
    where = run(python, "-c", "import app; print(app.__file__)", cwd=tmp_path)

    assert str(ROOT) not in where


def test_wsgi_can_be_imported(python: Path, tmp_path: Path) -> None:
    """Gunicorn finds the application in the wheel."""
    run(python, "-c", "import wsgi; assert callable(wsgi.app)", cwd=tmp_path)


LINE = "kind=event event_name=session_start session_id=s1 app_name=shop"
READ = f"""
from app.events import faro
from app.events.decoder import Batch
from app.model import Page, Stream
batch = Batch()
faro.FaroDecoder().decode(Page(0, 1, [Stream({{}}, [["1000", {LINE!r}]])], 1, 1), batch)
print(faro.__file__, list(batch.events))
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_compiled_wheel_reads_a_line(python: Path, tmp_path: Path) -> None:
    """The same wheel with the hot path as C: it is of one kind of machine, and works."""
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
    run(*build, "--outdir", tmp_path, ROOT, cwd=tmp_path, SKALD_COMPILE="1")
    (wheel,) = tmp_path.glob("*.whl")
    place = tmp_path / "unpacked"
    run(sys.executable, "-m", "zipfile", "-e", wheel, place, cwd=tmp_path)
    first = f"import sys; sys.path.insert(0, {str(place)!r})\n"

    said = run(python, "-c", first + READ, cwd=tmp_path)
    version = (
        "import sys; sys.argv[1:] = ['--version']; from app.cli import main; main()"
    )

    assert "-none-any" not in wheel.name
    assert said.startswith(str(place))
    assert ".py [" not in said
    assert "('shop', 's1')" in said
    assert "(compiled)" in run(python, "-c", first + version, cwd=tmp_path)
    assert "(pure Python)" in run(python, "-c", version, cwd=tmp_path)
