"""The memory that engines share: who may come in, who has to go, and whose turn it is.

An engine that is not at work leaves at once when another needs its room, the least recently used
first. If all are at work, those that had their turn (10 s) take no more calls, and leave when the
last one has ended. So models that do not fit together take turns, and none waits for ever. A
pinned engine never leaves for another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from ingle.engines.memory import Memory
from ingle.errors import Busy

__all__ = ["Room", "Tenant"]

_NOTHING = Memory(0)


class Tenant(Protocol):
    """An engine that has come in. Times are `time.monotonic`'s."""

    @property
    def size(self) -> Memory:
        """What it takes, measured or estimated, whichever is more."""

    @property
    def is_pinned(self) -> bool:
        """Whether it stays, whoever needs its room."""

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
    """Memory that engines may take together. Belongs to one event loop.

    `evictions` counts the engines that had to leave for others.
    """

    def __init__(
        self,
        limit: Memory,
        *,
        turn_s: float = 10.0,
        wait_s: float = 60.0,
        most_waiting: int = 64,
    ) -> None:
        self.limit = limit
        self.evictions = 0
        self._turn_s = turn_s
        self._wait_s = wait_s
        self._most_waiting = most_waiting
        self._coming: dict[str, Memory] = {}
        self._tenants: dict[str, Tenant] = {}
        self._first = asyncio.Lock()  # one makes room at a time, in the order they came
        self._changed = asyncio.Event()
        self._waiting = 0

    async def enter(self, name: str, size: Memory) -> None:
        """Reserve so much, waiting for others to leave; then `settle` or `left` must be called.

        Raises:
            Busy: pinned engines hold the memory, too many wait already, or no room came about in
                time.
        """
        self._refuse_beside_pinned(name, size)
        with self._queue(name):
            try:
                async with asyncio.timeout(self._wait_s), self._first:
                    await self._make_room(name, size)
                    self._coming[name] = size
            except TimeoutError:
                others = ", ".join((*self._tenants, *self._coming)) or "others"
                raise Busy(
                    f"The engine of {name!r} needs {size} of the {self.limit} for engines, and "
                    f"{others} did not end their work in {self._wait_s:g} s. Try again later, or "
                    "raise `memory_limit_bytes`."
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

    def _refuse_beside_pinned(self, name: str, size: Memory) -> None:
        pinned = {key: tenant.size for key, tenant in self._tenants.items() if tenant.is_pinned}
        if not sum(pinned.values(), start=size).fits_in(self.limit):
            raise Busy(
                f"The engine of {name!r} needs {size} of the {self.limit} for engines, and the "
                f"pinned {', '.join(sorted(pinned))} hold {sum(pinned.values(), start=_NOTHING)}. "
                "Take a model out of `pinned_models` and stop its engine (`ingle models stop "
                "NAME`), or raise `memory_limit_bytes`."
            )

    async def _make_room(self, name: str, size: Memory) -> None:
        try:
            while not (wanted := self._taken() + size).fits_in(self.limit):
                self._refuse_beside_pinned(name, size)
                self._changed.clear()
                movable = [one for one in self._tenants.values() if not one.is_pinned]
                idle = [tenant for tenant in movable if tenant.is_idle]
                if idle:
                    self.evictions += 1
                    await min(idle, key=lambda tenant: tenant.used_at).leave()
                    continue
                next_turn_s = self._end_turns(movable, wanted - self.limit)
                with suppress(TimeoutError):
                    async with asyncio.timeout(next_turn_s):
                        await self._changed.wait()
        finally:
            for tenant in self._tenants.values():
                tenant.take_calls()

    def _end_turns(self, movable: list[Tenant], missing: Memory) -> float | None:
        """Close as many engines to new calls as are needed; in how long the next turn is over."""
        now = time.monotonic()
        left_s = []
        for tenant in sorted(movable, key=lambda tenant: tenant.ready_at):
            if missing.fits_in(_NOTHING):
                break
            missing -= tenant.size
            if (rest_s := tenant.ready_at + self._turn_s - now) > 0:
                left_s.append(rest_s)
            else:
                tenant.stop_taking_calls()
        return min(left_s, default=None)

    def _taken(self) -> Memory:
        tenants = (tenant.size for tenant in self._tenants.values())
        return sum((*tenants, *self._coming.values()), start=_NOTHING)
