"""Compile the hot modules for the wheel, when asked to.

``SKALD_COMPILE=1 python -m build --wheel`` makes a wheel of this machine's kind, and
``auto`` does so when a C compiler is there. Without it the wheel is pure Python: the same
code, slower.
"""

import os
import runpy
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts what was compiled into the wheel."""

    def dependencies(self) -> list[str]:
        """Return what an isolated build needs: mypy reads types of all we depend on."""
        if not is_asked():
            return []
        return ["mypy", "setuptools", *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is put together; not for an editable install."""
        if version == "editable" or not is_asked():
            return
        tool = runpy.run_path(f"{self.root}/compile_hot.py")
        missing = tool["why_not"]()
        if missing and os.environ["SKALD_COMPILE"] == "auto":
            self.app.display_warning(f"The wheel is pure Python: {missing}.")
            return
        self.place = Path(tempfile.mkdtemp(prefix="skald-"))
        for path in tool["compile_into"](self.place):
            build_data["force_include"][str(self.place / path)] = path.as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, *_: object) -> None:
        """Tidy up."""
        if hasattr(self, "place"):
            shutil.rmtree(self.place)


def is_asked() -> bool:
    """Return whether the environment asks for compiled modules."""
    return os.environ.get("SKALD_COMPILE", "") not in {"", "0"}
