"""What `ingle doctor` looks at: each check finds one thing out and says what to do about it."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from ingle import _version
from ingle.cli.machine import cpu_features, cpu_name, gpus, memory, owner_of_port
from ingle.cli.terminal import size
from ingle.settings import Settings

__all__ = ["Check", "State", "check_ingle", "check_machine"]

State = Literal["ok", "warn", "fail"]

_DESCRIBE_S = 30.0
_LITTLE_DISK_BYTES = 2_000_000_000  # less than one small model's file
_LITTLE_MEMORY_BYTES = 1_000_000_000  # a small model, its context and some room
_NO_DISK_BYTES = 50_000_000
_WHEELS = "https://xorbitsai.github.io/xllamacpp/whl"  # see "Installation" of xllamacpp's README


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what to do unless all is well."""

    name: str
    state: State
    finding: str
    advice: str = ""


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


def check_ingle(settings: Settings) -> Iterator[Check]:
    """Whether what these settings name is there and in order."""
    yield _check_folder(settings.home)
    yield _check_disk(settings.home)
    yield _check_port(settings.host, settings.port)


def _check_packages() -> Iterator[Check]:
    """The libraries that Ingle requires, and the extras that it can make use of."""
    missing: list[str] = []
    extras: list[str] = []
    for requirement in metadata.requires("ingle") or ():
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
                "Build it here: `pip install --force-reinstall --no-binary xllamacpp xllamacpp`.",
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
        "It is built to run on any processor; one built here from source is faster on this one.",
    )


def _check_gpus(engine: dict[str, Any]) -> Iterator[Check]:
    usable = [device["description"] for device in engine["devices"] if device["type"] != "cpu"]
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


def _check_folder(home: Path) -> Check:
    existing = _nearest_existing(home)
    if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
        return Check(
            "data folder",
            "fail",
            f"{home} cannot be written to",
            "Give this user the right to it, or set INGLE_HOME to a folder that is yours.",
        )
    return Check("data folder", "ok", f"{home}{'' if existing == home else ' (not made yet)'}")


def _check_disk(home: Path) -> Check:
    free = shutil.disk_usage(_nearest_existing(home)).free
    finding = f"{size(free)} free for models"
    if free >= _LITTLE_DISK_BYTES:
        return Check("disk", "ok", finding)
    state: State = "warn" if free >= _NO_DISK_BYTES else "fail"
    return Check(
        "disk", state, finding, "Free some space, or set INGLE_HOME to a folder on another disk."
    )


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _check_port(host: str, port: int) -> Check:
    try:
        with socket.create_server((host, port), reuse_port=False):
            return Check("port", "ok", f"{host}:{port} is free")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return Check(
                "port",
                "fail",
                f"{host}:{port} cannot be listened on: {error.strerror}",
                "Set another with `ingle config set host …` or `port …`.",
            )
    owner = owner_of_port(port)
    finding = f"{host}:{port} is taken by {owner or 'another process'}"
    return Check("port", "warn", finding, "Stop it, or use `ingle up --port …`.")
