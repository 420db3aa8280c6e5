"""A bound on bytes a second, shared by everything that is fetched at once."""

from __future__ import annotations

import asyncio

__all__ = ["Throttle"]

_BURST_S = 0.25


class Throttle:
    """Lets through at most `rate_bytes_s` on average over a second, or everything if it is None.

    Callers account for what they have read and wait before they read more; what is not read waits
    in the sender, because TCP's window fills.
    """

    def __init__(self, rate_bytes_s: int | None) -> None:
        self.rate_bytes_s = rate_bytes_s
        self._free_at = 0.0

    async def spend(self, count: int) -> None:
        """Return when `count` bytes more fit under the rate."""
        if self.rate_bytes_s is None:
            return
        now = asyncio.get_running_loop().time()
        # Callers queue by moving this one moment on, so the bound holds for all of them together.
        self._free_at = max(self._free_at, now - _BURST_S) + count / self.rate_bytes_s
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)
