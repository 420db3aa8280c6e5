"""What `ingle doctor` looks at on this machine: what is installed, and what it could run on."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from ingle import _version
from ingle.cli.check import Check
from ingle.cli.machine import cpu_features, cpu_name, gpus, memory
from ingle.cli.terminal import size

__all__ = ["check_machine"]

_GPU_TYPES = frozenset({"gpu", "igpu"})  # ggml-backend.h: enum ggml_backend_dev_type
_DESCRIBE_S = 30.0
_LITTLE_MEMORY_BYTES = 1_000_000_000  # a small model, its context and some room
_WHEELS = "https://xorbitsai.github.io/xllamacpp/whl"  # see "Installation" of xllamacpp's README
_FROM_SOURCE = "https://github.com/xorbitsai/xllamacpp#build-from-source"


def check_machine() -> Iterator[Check]:
    """What is installed and what this machine can do; needs no settings."""
    yield Check(
        "ingle",
        "ok",
        f"{_version.__version__} on Python {platform.python_version()}, {platform.platform()}",
    )
    yield from _check_packages()
    engine = _describe_engine()
    if isinstance(engine, Check):
        yield engine
    else:
        yield _check_processor(engine)
        yield from _check_gpus(engine)
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


def _describe_engine() -> dict[str, Any] | Check:  # Any: JSON values
    """What the text engine's own process says of its build, or why it cannot."""
    command = [sys.executable, "-m", "ingle.engines.llama", "--describe"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DESCRIBE_S)
    except subprocess.TimeoutExpired:
        reason = f"it did not answer in {_DESCRIBE_S:.0f} s"
    else:
        if done.returncode == 0:
            description: dict[str, Any] = json.loads(done.stdout)
            return description
        if done.returncode == -signal.SIGILL:
            return Check(
                "llama.cpp",
                "fail",
                f"needs instructions that this processor ({cpu_name()}) does not have",
                f"Build it on this machine: {_FROM_SOURCE}",
            )
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = lines[-1]
    return Check(
        "llama.cpp",
        "fail",
        f"cannot be loaded: {reason}",
        "`pip install --force-reinstall xllamacpp` installs it anew.",
    )


def _check_processor(engine: dict[str, Any]) -> Check:
    used = re.findall(r"(\w+) = 1", engine["system_info"])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    offered = sorted(cpu_features())
    unused = [feature for feature in offered if feature not in used]
    finding = f"{engine['version']} on {cores} cores of {cpu_name()}"
    if shown := [feature for feature in offered if feature in used]:
        finding += f", with {', '.join(shown)}"
    if not unused:
        return Check("llama.cpp", "ok", finding)
    return Check(
        "llama.cpp",
        "ok",
        f"{finding}; {', '.join(unused)} not used",
        f"It is built to run anywhere. One built on this machine is faster: {_FROM_SOURCE}",
    )


def _check_gpus(engine: dict[str, Any]) -> Iterator[Check]:
    usable = [device["description"] for device in engine["devices"] if device["type"] in _GPU_TYPES]
    if usable:
        yield Check("gpu", "ok", f"llama.cpp uses {', '.join(usable)}")
        return
    seen = gpus()
    if not seen:
        yield Check("gpu", "ok", "none found; models run on the processor")
        return
    names = ", ".join(gpu.name for gpu in seen)
    kind = "cu128" if seen[0].seen_by == "cuda" else "vulkan"
    yield Check(
        "gpu",
        "warn",
        f"{names}: this build of llama.cpp cannot use it",
        f"`pip install --force-reinstall xllamacpp --index-url {_WHEELS}/{kind}` installs one "
        "that can.",
    )


def _check_memory() -> Iterator[Check]:
    found = memory()
    if found is None:
        return
    finding = f"{size(found.available_bytes)} of {size(found.total_bytes)} free for models"
    if found.available_bytes >= _LITTLE_MEMORY_BYTES:
        yield Check("memory", "ok", finding)
    else:
        yield Check("memory", "warn", finding, "Close other programs, or use small models only.")
