"""How many processor cores an engine may keep busy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ingle.engines.cgroup import ControlGroups

__all__ = ["usable_cores"]

_TOPOLOGY = Path("/sys/devices/system/cpu")


def usable_cores() -> int | None:
    """The physical cores that this process may run on, within its container's share of time.

    A second thread on one core gains nothing, as both wait for the same memory. None where
    llama.cpp is better at telling (macOS, Windows).
    """
    if sys.platform != "linux":
        return None
    cores = {_siblings(cpu) for cpu in os.sched_getaffinity(0)}
    share = ControlGroups().processors()
    return max(1, min(len(cores), int(share) if share else len(cores)))


def _siblings(cpu: int) -> str:
    """The logical processors on the same core, as the kernel writes them."""
    try:
        return (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)
