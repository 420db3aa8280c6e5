"""How much memory there is for engines, and how much a process holds."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from ingle.engines.cgroup import ControlGroups

__all__ = ["engines_limit_bytes", "resident_bytes"]

_SHARE_FOR_ENGINES = 0.75  # the rest is for the system, its file cache and other programs


def engines_limit_bytes() -> int:
    """What all engines together may take unless the settings say otherwise: three quarters.

    Of the machine's memory, or of the container's, whichever is less.
    """
    group = ControlGroups().memory_bytes() if sys.platform == "linux" else None
    physical = _physical_bytes()
    return int(_SHARE_FOR_ENGINES * min(physical, group or physical))


def resident_bytes(pid: int) -> int | None:
    """The memory that a process holds now, with the pages of its files; None if it cannot be told.

    Source: proc_pid_statm(5).
    """
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


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
