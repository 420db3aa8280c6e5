"""What `ingle doctor` looks at on this machine: what is installed, and what it could run on."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from ingle import _version
from ingle.cli.check import Check
from ingle.cli.llama_checks import check_llama
from ingle.cli.machine import memory
from ingle.cli.terminal import size

__all__ = ["check_machine"]

_LITTLE_MEMORY_BYTES = 1_000_000_000  # a small model, its context and some room


def check_machine(home: Path | None) -> Iterator[Check]:
    """What is installed and what this machine can do; without settings, `home` is not known."""
    yield Check(
        "ingle",
        "ok",
        f"{_version.__version__} on Python {platform.python_version()}, {platform.platform()}",
    )
    yield from _check_packages()
    yield from check_llama(home)
    yield from _check_memory()


def _check_packages() -> Iterator[Check]:
    """The libraries that Ingle requires, and the extras that it can make use of."""
    missing: list[str] = []
    extras: list[str] = []
    for requirement in _requirements():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        condition = requirement.partition(";")[2]
        if _is_installed(name) or "sys_platform" in condition:
            continue
        (extras if "extra ==" in condition else missing).append(name)
    if missing:
        yield Check(
            "libraries",
            "fail",
            f"not installed: {', '.join(missing)}",
            "`pip install --force-reinstall ingle` installs what is missing.",
        )
    if extras:
        yield Check("extras", "ok", f"optional, not installed: {', '.join(extras)}")


def _requirements() -> list[str]:
    try:
        return metadata.requires("ingle") or []
    except metadata.PackageNotFoundError:  # it runs from its source, without being installed
        return []


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _check_memory() -> Iterator[Check]:
    found = memory()
    if found is None:
        return
    finding = f"{size(found.available_bytes)} of {size(found.total_bytes)} free for models"
    if found.available_bytes >= _LITTLE_MEMORY_BYTES:
        yield Check("memory", "ok", finding)
    else:
        yield Check("memory", "warn", finding, "Close other programs, or use small models only.")
