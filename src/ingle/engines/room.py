"""The memory that engines share: who may come in, who has to go, and whose turn it is.

An engine that is not at work leaves at once when another needs its room, the least recently used
first. If all are at work, those that had their turn (10 s) take no more calls, and leave when the
last one has ended. So models that do not fit together take turns, and none waits for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from ingle.errors import Busy

__all__ = ["Room", "Tenant"]


class Tenant(Protocol):
    """An engine that has come in. Times are `time.monotonic`'s."""

    @property
    def size_bytes(self) -> int:
        """What it takes, measured or estimated, whichever is more."""

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it or is about to."""

    @property
    def ready_at(self) -> float:
        """When its turn began."""

    @property
    def used_at(self) -> float:
        """When it was last used."""

    def stop_taking_calls(self) -> None:
        """Let new callers wait."""

    def take_calls(self) -> None:
        """Let waiting callers in, unless it is on its way out."""

    async def leave(self) -> None:
        """End it; afterwards its memory is free and `Room.left` was called."""


class Room:
    """Bytes that engines may take together. Belongs to one event loop."""

    def __init__(
        self,
        limit_bytes: int,
        *,
        turn_s: float = 10.0,
        wait_s: float = 60.0,
        most_waiting: int = 64,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._turn_s = turn_s
        self._wait_s = wait_s
        self._most_waiting = most_waiting
        self._coming: dict[str, int] = {}
        self._tenants: dict[str, Tenant] = {}
        self._first = asyncio.Lock()  # one makes room at a time, in the order they came
        self._changed = asyncio.Event()
        self._waiting = 0

    async def enter(self, name: str, size_bytes: int) -> None:
        """Reserve so much, waiting for others to leave; then `settle` or `left` must be called.

        Raises:
            Busy: too many wait already, or no room came about in time.
        """
        with self._queue(name):
            try:
                async with asyncio.timeout(self._wait_s), self._first:
                    await self._make_room(size_bytes)
                    self._coming[name] = size_bytes
            except TimeoutError:
                others = ", ".join((*self._tenants, *self._coming)) or "others"
                raise Busy(
                    f"The engine of {name!r} needs {size_bytes / 2**20:,.0f} MiB of the "
                    f"{self.limit_bytes / 2**20:,.0f} MiB for engines, and {others} did not end "
                    f"their work in {self._wait_s:g} s. Try again later, or raise "
                    "`memory_limit_bytes`."
                ) from None

    def settle(self, name: str, tenant: Tenant) -> None:
        """The engine that came in has started."""
        del self._coming[name]
        self._tenants[name] = tenant
        self.look()

    def left(self, name: str) -> None:
        """The engine is gone, or never came about."""
        self._coming.pop(name, None)
        self._tenants.pop(name, None)
        self.look()

    def look(self) -> None:
        """Something has changed: who waits looks again."""
        self._changed.set()

    @contextmanager
    def _queue(self, name: str) -> Iterator[None]:
        if self._waiting >= self._most_waiting:
            raise Busy(
                f"{self._waiting} engines are waiting for memory already, so {name!r} cannot be "
                "started now. Try again later."
            )
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _make_room(self, size_bytes: int) -> None:
        try:
            while (missing := self._taken() + size_bytes - self.limit_bytes) > 0:
                self._changed.clear()
                idle = [tenant for tenant in self._tenants.values() if tenant.is_idle]
                if idle:
                    await min(idle, key=lambda tenant: tenant.used_at).leave()
                    continue
                next_turn_s = self._end_turns(missing)
                with suppress(TimeoutError):
                    async with asyncio.timeout(next_turn_s):
                        await self._changed.wait()
        finally:
            for tenant in self._tenants.values():
                tenant.take_calls()

    def _end_turns(self, missing: int) -> float | None:
        """Close as many engines to new calls as are needed; in how long the next turn is over."""
        now = time.monotonic()
        left_s = []
        for tenant in sorted(self._tenants.values(), key=lambda tenant: tenant.ready_at):
            if missing <= 0:
                break
            missing -= tenant.size_bytes
            if (rest_s := tenant.ready_at + self._turn_s - now) > 0:
                left_s.append(rest_s)
            else:
                tenant.stop_taking_calls()
        return min(left_s, default=None)

    def _taken(self) -> int:
        tenants = sum(tenant.size_bytes for tenant in self._tenants.values())
        return tenants + sum(self._coming.values())
