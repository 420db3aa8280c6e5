"""Facts about this machine that nothing else here needs: its memory, GPUs, ports in use.

Whatever cannot be found out is left out; nothing here raises for that.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingle.engines.processor import cpu_name

__all__ = ["Gpu", "Memory", "gpus", "memory", "owner_of_port"]

_TOOL_S = 10.0
_SOFTWARE_GPUS = ("llvmpipe", "lavapipe", "swiftshader", "softpipe")
_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics processor, and by what it was seen: `cuda`, `vulkan` or `metal`."""

    name: str
    seen_by: str


@dataclass(frozen=True, slots=True)
class Memory:
    """The machine's memory, and what of it could be used now."""

    total_bytes: int
    available_bytes: int


def memory() -> Memory | None:
    """How much memory there is; only known on Linux."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    kilobytes = {name: int(value) for name, value in re.findall(r"(\w+): +(\d+) kB", text)}
    return Memory(kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024)


def gpus() -> list[Gpu]:
    """The GPUs that the tools of their makers see."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return [Gpu(cpu_name(), "metal")]
    listed = _output_of("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    found = [Gpu(line.strip(), "cuda") for line in listed.splitlines() if line.strip()]
    if found:
        return found
    names = re.findall(r"deviceName\s*= (.+)", _output_of("vulkaninfo", "--summary"))
    return [Gpu(name.strip(), "vulkan") for name in names if not _is_software(name)]


def owner_of_port(port: int) -> str | None:
    """`python3 (process 123)`, whoever listens there; known on Linux and of one's own processes."""
    sockets = set(_listening_sockets(port))
    for link in Path("/proc").glob("[0-9]*/fd/*") if sockets else ():
        try:
            target = str(link.readlink())
            if target.startswith("socket:[") and target[8:-1] in sockets:
                process = link.parent.parent
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # another user's process, or one that has just ended
            continue
    return None


def _listening_sockets(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen on a port."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, address, _, state, *rest = line.split()
            if state == _LISTENING and int(address.rpartition(":")[2], 16) == port:
                yield rest[5]


def _is_software(name: str) -> bool:
    return any(word in name.lower() for word in _SOFTWARE_GPUS)


def _output_of(tool: str, *args: str) -> str:
    """What a tool prints; empty if it is not installed, fails or takes too long."""
    path = shutil.which(tool)
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *args], capture_output=True, text=True, timeout=_TOOL_S, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
