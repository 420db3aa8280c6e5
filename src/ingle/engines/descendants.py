"""The processes that a child of ours has started in turn: on Linux none of them gets away.

A process whose parent has ended belongs to process 1, unless an ancestor asked for such orphans.
Source: prctl(2), PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG; proc(5), /proc/PID/task/TID/children.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["adopt_orphans", "die_with_parent", "kill_descendants"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_WAIT_S = 1.0  # processes that fork faster than they are killed are not waited for
_EVERY_S = 0.005


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, also of daemons."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the parent dies, however it does."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def kill_descendants() -> None:
    """Kill all processes that this one, or any of those, has started. Without Linux, nothing."""
    until = time.monotonic() + _WAIT_S
    while (living := list(_descendants(os.getpid()))) and time.monotonic() < until:
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_EVERY_S)


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            for child in map(int, children.read_text().split()):
                yield from _descendants(child)
                if not _is_dead(child):
                    yield child


def _is_dead(pid: int) -> bool:
    """Whether it has ended, and only its exit code is still there to be asked for."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state in {"Z", "X"}


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)
