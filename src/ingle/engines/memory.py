"""How much memory there is for engines, and how much a process holds."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingle.engines.cgroup import ControlGroups
from ingle.engines.devices import Device, gpus
from ingle.settings import Settings

__all__ = ["Memory", "engines_limit", "engines_limit_bytes", "resident_bytes"]

_SHARE_FOR_ENGINES = 0.75  # the rest is for the system, its file cache and other programs
_SHARE_OF_GPU = 0.9  # the rest is for the GPU's own tables, and a screen
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Memory:
    """So many bytes of this machine's memory and of its GPUs' own; there is none without a GPU."""

    ram_bytes: int
    gpu_bytes: int = 0

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.ram_bytes + other.ram_bytes, self.gpu_bytes + other.gpu_bytes)

    def __sub__(self, other: Memory) -> Memory:
        return Memory(self.ram_bytes - other.ram_bytes, self.gpu_bytes - other.gpu_bytes)

    def __str__(self) -> str:
        ram = f"{self.ram_bytes / _MIB:,.0f} MiB"
        return f"{ram} and {self.gpu_bytes / _MIB:,.0f} MiB on the GPU" if self.gpu_bytes else ram

    def fits_in(self, other: Memory) -> bool:
        """Whether there is as much of both in the other."""
        return self.ram_bytes <= other.ram_bytes and self.gpu_bytes <= other.gpu_bytes


def engines_limit(settings: Settings, devices: Callable[[], Sequence[Device]] = gpus) -> Memory:
    """What all engines together may take. Blocks: where there may be a GPU, a process looks."""
    ram_bytes = settings.memory_limit_bytes or engines_limit_bytes()
    if settings.gpu_memory_limit_bytes is not None:
        return Memory(ram_bytes, settings.gpu_memory_limit_bytes)
    on_gpus = sum(device.memory_bytes for device in devices() if device.type == "gpu")
    return Memory(ram_bytes, int(_SHARE_OF_GPU * on_gpus))


def engines_limit_bytes() -> int:
    """What all engines together may take unless the settings say otherwise: three quarters.

    Of the machine's memory, or of the container's, whichever is less.
    """
    group = ControlGroups().memory_bytes() if sys.platform == "linux" else None
    physical = _physical_bytes()
    return int(_SHARE_FOR_ENGINES * min(physical, group or physical))


def resident_bytes(pid: int) -> int | None:
    """The memory that a process holds now, with the pages of its files; None if it cannot be told.

    With that of the processes that its main thread has started, and so on. Source:
    proc_pid_statm(5), and proc(5) on `children`.
    """
    folder = Path(f"/proc/{pid}")
    try:
        pages = int((folder / "statm").read_text().split()[1])
        children = (folder / f"task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return None
    below = (resident_bytes(int(child)) or 0 for child in children)
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(below)


def _physical_bytes() -> int:
    if sys.platform == "win32":
        return _windows_physical_bytes()
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _windows_physical_bytes() -> int:
    """From GetPhysicallyInstalledSystemMemory, which tells kilobytes."""
    kilobytes = ctypes.c_ulonglong()
    windll = getattr(ctypes, "windll")  # noqa: B009 -- there on Windows only
    if not windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes)):
        raise OSError("Windows does not tell how much memory there is.")
    return kilobytes.value * 1024
