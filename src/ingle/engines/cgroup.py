"""The limits that Linux's control groups, and so containers, set for this process.

Source: https://docs.kernel.org/admin-guide/cgroup-v2.html and, for version 1,
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ControlGroups"]

_UNLIMITED_BYTES = 2**60  # version 1 writes a number near 2**63 for "no limit"


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The groups of this process, of either version; no limits where there are none."""

    membership: Path = Path("/proc/self/cgroup")
    root: Path = Path("/sys/fs/cgroup")

    def memory_bytes(self) -> int | None:
        """The smallest memory limit of the process's group and of those above it."""
        texts = [
            *self._values("memory", "memory.limit_in_bytes"),
            *self._values("", "memory.max"),
        ]
        limits = [int(text) for text in texts if text.isdigit()]
        smallest = min(limits, default=_UNLIMITED_BYTES)
        return smallest if smallest < _UNLIMITED_BYTES else None

    def processors(self) -> float | None:
        """How many processors' time the groups grant, such as 1.5."""
        shares = []
        for text in self._values("", "cpu.max"):
            quota, _, period = text.partition(" ")
            if quota.isdigit() and period.isdigit():
                shares.append(int(quota) / int(period))
        for controllers in ("cpu", "cpu,cpuacct"):
            quotas = self._values(controllers, "cpu.cfs_quota_us")
            periods = self._values(controllers, "cpu.cfs_period_us")
            for quota, period in zip(quotas, periods, strict=False):
                if quota.isdigit() and period.isdigit():
                    shares.append(int(quota) / int(period))
        return min(shares, default=None)

    def _values(self, controllers: str, name: str) -> Iterator[str]:
        """What the file of this name says in the process's group and in each above it."""
        group = self._group(controllers)
        if group is None:
            return
        top = self.root / controllers if controllers else self.root
        # A container may see its group's path from outside and its files at the top.
        for folder in dict.fromkeys((group, *group.parents)):
            try:
                yield (top / folder.relative_to("/") / name).read_text().strip()
            except OSError:
                continue

    def _group(self, controllers: str) -> Path | None:
        """The path of the process's group for these controllers; none are version 2's."""
        try:
            lines = self.membership.read_text().splitlines()
        except OSError:
            return None
        for line in lines:
            _, found, path = line.split(":", 2)
            if found == controllers:
                return Path(path)
        return None
