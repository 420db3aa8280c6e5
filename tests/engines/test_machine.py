"""What the machine, or the container on it, lets engines use."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ingle.engines.cgroup import ControlGroups
from ingle.engines.cores import usable_cores
from ingle.engines.memory import engines_limit_bytes, resident_bytes

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and /sys")


def groups(folder: Path, membership: str, files: dict[str, str]) -> ControlGroups:
    for name, text in files.items():
        path = folder / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "cgroup").write_text(membership)
    return ControlGroups(folder / "cgroup", folder / "root")


def test_version_2_limits_hold_from_above(tmp_path: Path) -> None:
    """The smallest limit on the way up counts, and `max` is none."""
    found = groups(
        tmp_path,
        "0::/a/b\n",
        {
            "memory.max": "max\n",
            "a/memory.max": "1073741824\n",
            "a/b/memory.max": "2147483648\n",
            "a/b/cpu.max": "150000 100000\n",
        },
    )

    assert found.memory_bytes() == 1_073_741_824
    assert found.processors() == 1.5


def test_version_1_limits_are_read(tmp_path: Path) -> None:
    """Both numbers of the processor's share count, and a limit near 2**63 is none."""
    found = groups(
        tmp_path,
        "4:memory:/x\n1:cpu,cpuacct:/x\n",
        {
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/x/memory.limit_in_bytes": "536870912\n",
            "cpu,cpuacct/x/cpu.cfs_quota_us": "200000\n",
            "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
        },
    )

    assert found.memory_bytes() == 536_870_912
    assert found.processors() == 2.0


def test_a_path_from_outside_the_container_leads_to_the_top(tmp_path: Path) -> None:
    """In a container the group's path may not exist, and its files lie at the top."""
    found = groups(tmp_path, "0::/docker/abc\n", {"memory.max": "268435456\n"})

    assert found.memory_bytes() == 268_435_456


def test_no_groups_are_no_limits(tmp_path: Path) -> None:
    """Where there are no control groups, nothing is limited."""
    found = ControlGroups(tmp_path / "none", tmp_path)

    assert (found.memory_bytes(), found.processors()) == (None, None)


@linux_only
def test_this_machine_has_limits_that_make_sense() -> None:
    """At least one core, no more than there are; three quarters of the memory at most."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    assert 1 <= (usable_cores() or 0) <= len(os.sched_getaffinity(0))
    assert 2**20 < engines_limit_bytes() <= physical * 3 // 4


@linux_only
def test_memory_of_a_process_is_measured() -> None:
    """This process holds something, and one that is not there nothing that could be told."""
    assert (resident_bytes(os.getpid()) or 0) > 10 * 2**20
    assert resident_bytes(2**22 + 1) is None
